//! Tables.

use super::Screen;

/// Rows under a header, columns aligned, without lines. The last column is cut to the width.
pub fn table(header: &[&str], rows: &[Vec<String>], screen: &Screen) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.max().unwrap_or(0).max(header.get(column).map_or(0, |cell| cell.chars().count()))
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        screen.cut(padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    let mut text = screen.bold(&line(header.to_vec()));
    for row in rows {
        text.push('\n');
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text.push('\n');
    text
}
