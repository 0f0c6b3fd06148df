//! A process that goes on, and what it says meanwhile.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

/// A process that ends with the test, and what it says.
pub struct Teller {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it said so far.
    pub told: Vec<String>,
}

impl Teller {
    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, told: Vec::new() }
    }

    /// Reads on until a line says this.
    pub fn until(&mut self, says: &str) {
        loop {
            let line = self.lines.next().unwrap_or_else(|| panic!("it ended and never said {says:?}: {:#?}", self.told)).unwrap();
            let found = line.contains(says);
            self.told.push(line);
            if found {
                return;
            }
        }
    }

    /// Ctrl-C; its exit code.
    pub fn interrupt(mut self) -> i32 {
        let told = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        // Whatever else it says is read, so that it can say it.
        self.wait()
    }

    /// Its exit code, once it has ended by itself.
    pub fn wait(&mut self) -> i32 {
        self.lines.by_ref().for_each(drop);
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
