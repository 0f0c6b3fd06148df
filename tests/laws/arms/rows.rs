//! Where the arms are in this very binary: its line table tells of addresses which place in which source they are made of.

use super::sources::{Place, Written};
use gimli::{Dwarf, EndianSlice, LineProgramHeader, LittleEndian, SectionId, Unit};
use object::{Object, ObjectKind, ObjectSection, SectionKind};
use std::{collections::BTreeMap, path::Path};

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// Consecutive addresses that are made of one place, and end where the next row begins.
struct Row {
    at: Place,
    begins: u64,
    ends: u64,
}

/// Of every arm the addresses at which its code is entered, before the binary is moved in memory.
///
/// Every copy of generic code has its own, and where an arm's code lies in pieces, each piece has: who comes to any of
/// them is in the arm.
pub fn entries(arms: &[Written], binary: &Path) -> Result<Vec<Vec<u64>>, String> {
    let bytes = std::fs::read(binary).map_err(|error| format!("{}: {error}", binary.display()))?;
    let rows = rows_of(arms, &bytes)?;
    let entries = arms.iter().map(|arm| {
        let of_file = rows.get(&*arm.file.to_string_lossy()).into_iter().flatten();
        let mut entries: Vec<u64> = Vec::new();
        let mut last = None;
        for row in of_file.filter(|row| arm.body.0 <= row.at && row.at < arm.body.1) {
            if last != Some(row.begins) {
                entries.push(row.begins);
            }
            last = Some(row.ends);
        }
        entries
    });
    let entries: Vec<Vec<u64>> = entries.collect();
    if entries.iter().all(Vec::is_empty) { Err("the binary has no line table of the planner".to_owned()) } else { Ok(entries) }
}

/// The rows of every file that has arms, in the order of their addresses.
fn rows_of(arms: &[Written], bytes: &[u8]) -> Result<BTreeMap<String, Vec<Row>>, String> {
    let told = |error: gimli::Error| error.to_string();
    let elf = object::File::parse(bytes).map_err(|error| error.to_string())?;
    if elf.kind() != ObjectKind::Dynamic || !elf.is_little_endian() {
        return Err("the binary is none that can be placed anywhere".to_owned());
    }
    // What the linker threw away still has rows, at addresses where no code is.
    let code: Vec<_> =
        elf.sections().filter(|it| it.kind() == SectionKind::Text).map(|it| it.address()..it.address() + it.size()).collect();
    let section = |id: SectionId| -> Result<_, gimli::Error> {
        let data = elf.section_by_name(id.name()).and_then(|it| it.data().ok()).unwrap_or_default();
        Ok(EndianSlice::new(data, LittleEndian))
    };
    let dwarf = Dwarf::load(section).map_err(told)?;
    let mut rows: BTreeMap<String, Vec<Row>> = arms.iter().map(|it| (it.file.to_string_lossy().into_owned(), Vec::new())).collect();
    let mut units = dwarf.units();
    while let Some(header) = units.next().map_err(told)? {
        let unit = dwarf.unit(header).map_err(told)?;
        let Some(program) = unit.line_program.clone() else { continue };
        let names = names_in(&dwarf, &unit, program.header(), &rows).map_err(told)?;
        if names.is_empty() {
            continue;
        }
        let mut table = program.rows();
        let mut open: Option<(u64, Place, u64)> = None;
        while let Some((_, row)) = table.next_row().map_err(told)? {
            // A row lasts until the next one; one that lasts no time is none.
            if let Some((file, at, begins)) = open.take()
                && let Some(of_file) = names.get(&file).and_then(|it| rows.get_mut(it))
                && begins < row.address()
                && code.iter().any(|it| it.contains(&begins))
            {
                of_file.push(Row { at, begins, ends: row.address() });
            }
            let column = if let gimli::ColumnType::Column(it) = row.column() { it.get() } else { 0 };
            if !row.end_sequence() {
                open = Some((row.file_index(), (row.line().map_or(0, |it| it.get()), column), row.address()));
            }
        }
    }
    for of_file in rows.values_mut() {
        of_file.sort_by_key(|it| it.begins);
    }
    Ok(rows)
}

/// Of the files that a line table numbers, those that have arms.
fn names_in(
    dwarf: &Dwarf<Slice<'_>>,
    unit: &Unit<Slice<'_>>,
    header: &LineProgramHeader<Slice<'_>>,
    wanted: &BTreeMap<String, Vec<Row>>,
) -> Result<BTreeMap<u64, String>, gimli::Error> {
    let text = |it| dwarf.attr_string(unit, it).map(|it| it.to_string_lossy().into_owned());
    let base = unit.comp_dir.map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let mut names = BTreeMap::new();
    for number in 0..=header.file_names().len() as u64 {
        let Some(file) = header.file(number) else { continue };
        let directory = file.directory(header).map(text).transpose()?.unwrap_or_default();
        let path = Path::new(&base).join(directory).join(text(file.path_name())?);
        let path = path.to_string_lossy().into_owned();
        if wanted.contains_key(&path) {
            names.insert(number, path);
        }
    }
    Ok(names)
}
