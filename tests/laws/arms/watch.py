# Read by gdb: runs a program and writes down which of some addresses it comes to. Each is watched until it is met once.
#
# `wanted` and `met` are set before: files with an address a line, in hexadecimal, before the program is moved in memory.

for line in ("pagination off", "confirm off", "debuginfod enabled off", "startup-with-shell off",
             "disable-randomization off", "breakpoint always-inserted on", "print thread-events off",
             "auto-solib-add off"):
    try:
        gdb.execute("set " + line)
    except gdb.error:
        pass  # An older gdb does not know of it, and does without.
gdb.execute("handle SIGPIPE nostop noprint pass")

gdb.execute("starti")
program = gdb.selected_inferior()
path = gdb.current_progspace().filename
with open("/proc/%d/maps" % program.pid) as maps:
    moved = min(int(line.split("-")[0], 16) for line in maps if line.rstrip().endswith(path))
with open(wanted) as addresses:
    for line in addresses:
        gdb.Breakpoint("*%d" % (moved + int(line, 16)), temporary=True, internal=True)

with open(met, "w") as file:
    ended = []
    gdb.events.exited.connect(ended.append)
    while not ended:
        gdb.execute("continue")
        if not ended:
            file.write("%x\n" % (int(gdb.parse_and_eval("$pc")) - moved))
    code = getattr(ended[0], "exit_code", None)
    file.write("ended %s\n" % ("killed" if code is None else code))
