//! Tables.

use super::{Screen, plain};

/// Rows under a header, columns aligned, without lines. Where they do not fit the width, the columns of
/// `dispensable` are left out, group after group, until they do; then lines are cut.
pub fn table(header: &[&str], rows: &[Vec<String>], dispensable: &[&[&str]], screen: &Screen) -> String {
    let mut columns: Vec<Column<'_>> = header.iter().enumerate().map(|(index, name)| Column::of(name, index, rows)).collect();
    for group in dispensable {
        let width: usize = columns.iter().map(|it| it.width + GAP.len()).sum();
        if width.saturating_sub(GAP.len()) <= screen.width {
            break;
        }
        columns.retain(|it| !group.contains(&it.name));
    }
    let line = |cell: &dyn Fn(&Column<'_>) -> String| {
        let padded = columns.iter().map(|it| format!("{:<width$}", cell(it), width = it.width));
        screen.cut(padded.collect::<Vec<_>>().join(GAP).trim_end())
    };
    let mut text = screen.bold(&line(&|column| column.name.to_owned()));
    for index in 0..rows.len() {
        text.push('\n');
        text.push_str(&line(&|column| column.cells.get(index).cloned().unwrap_or_default()));
    }
    text.push('\n');
    text
}

/// What stands between two columns.
const GAP: &str = "  ";

struct Column<'a> {
    name: &'a str,
    cells: Vec<String>,
    width: usize,
}

impl<'a> Column<'a> {
    fn of(name: &'a str, index: usize, rows: &[Vec<String>]) -> Self {
        let cells: Vec<String> = rows.iter().map(|row| row.get(index).map_or_else(String::new, |cell| plain(cell))).collect();
        let longest = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        Self { name, width: longest.max(name.chars().count()), cells }
    }
}
