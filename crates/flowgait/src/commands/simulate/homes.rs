//! From a federation's file to rows at clients.

use std::path::{Path, PathBuf};

use flowgait_features::{Feature, Schema};
use flowgait_federate::federation::Federation;
use flowgait_federate::homes::{Dealing, HeldOut, Homes};
use flowgait_model::artifact::TrainingTable;
use flowgait_model::report::Origin;
use flowgait_synth::table;

use super::super::learning::TableArgs;
use crate::failure::{Failure, sentence};
use crate::output;
use crate::units;

/// Rows at clients, and what they are called.
pub struct Prepared {
    pub homes: Homes,
    pub held_out: HeldOut,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// The column of the label.
    pub label: String,
    /// Names of the clients.
    pub clients: Vec<String>,
    /// The tables, for the model's card.
    pub tables: Vec<TrainingTable>,
    /// Who made the traffic.
    pub origin: Origin,
}

/// Reads or makes the rows and deals them.
pub fn prepare(federation: &Federation, here: &Path) -> Result<Prepared, Failure> {
    match federation.data.tables.is_empty() {
        true => made(federation),
        false => read(federation, here),
    }
}

/// The four classes, drawn from the seed.
fn made(federation: &Federation) -> Result<Prepared, Failure> {
    let count = federation.clients.count;
    let params = table::Params::new()
        .clients(count as u64)
        .rows(federation.data.rows)
        .seed(federation.seed)
        .check()
        .map_err(|error| Failure::usage(sentence(&error.to_string())))?;
    let test = federation.data.test_rows;
    let rows = params.rows().chain(params.test_rows(test));
    let mut columns = vec![Vec::new(); 4];
    let mut codes = Vec::new();
    for row in rows {
        columns.iter_mut().zip(row.inputs()).for_each(|(column, value)| column.push(value as f32));
        codes.push(row.class as u32);
    }
    let units = [("packet_size", "octets"), ("gap", "ms"), ("tcp", ""), ("bitrate", "kb/s")];
    let feature = |(name, unit): (&str, &str)| Feature { name: name.into(), unit: unit.into() };
    let schema =
        Schema { name: "four-classes".into(), features: units.into_iter().map(feature).collect() };
    let classes: Vec<String> = table::CLASSES.iter().map(|c| c.label.to_owned()).collect();
    let mut homes = Homes { schema, columns, codes, classes: 4, rows: Vec::new() };
    let dealt = homes.codes.len() - test;
    let dealing = Dealing::Partition(federation.clients.partition, count);
    let held_out = homes.deal(dealt, dealing, federation.data.held_out, federation.seed)?;
    Ok(Prepared {
        homes,
        held_out,
        classes,
        label: "label".to_owned(),
        clients: numbered(count),
        tables: vec![TrainingTable { name: "four classes, made".into(), rows: dealt as u64 }],
        origin: Origin::Made,
    })
}

/// Somebody's tables.
fn read(federation: &Federation, here: &Path) -> Result<Prepared, Failure> {
    let data = &federation.data;
    let table = TableArgs {
        tables: data.tables.iter().map(|table| here.join(table)).collect::<Vec<PathBuf>>(),
        label: data.label.clone(),
        ..TableArgs::default()
    };
    let column: Vec<String> = federation.clients.column.iter().cloned().collect();
    let labelled = table.read(&column, None)?;
    let labels = labelled.labels();
    let rows = labelled.dataset.rows;
    let mut homes = Homes {
        schema: labelled.dataset.schema.clone(),
        columns: labelled.dataset.columns.clone(),
        codes: labels.codes.clone(),
        classes: labels.values.len(),
        rows: Vec::new(),
    };
    let (seed, held) = (federation.seed, data.held_out);
    let (held_out, clients) = match column.first() {
        None => {
            let count = federation.clients.count;
            let dealing = Dealing::Partition(federation.clients.partition, count);
            (homes.deal(rows, dealing, held, seed)?, numbered(count))
        }
        Some(name) => {
            let groups = labelled.dataset.groups.iter().find(|group| &group.name == name);
            let groups = groups.expect("a group that was asked for is there");
            let (of, names) = present(&groups.codes, &groups.values);
            (homes.deal(rows, Dealing::Column(&of), held, seed)?, names)
        }
    };
    output::note(&format!(
        "{} at {}",
        units::counted(rows as u64, "row"),
        units::counted(clients.len() as u64, "client")
    ));
    Ok(Prepared {
        homes,
        held_out,
        classes: labels.values.clone(),
        label: labels.name.clone(),
        clients,
        tables: labelled.tables.clone(),
        origin: Origin::Recorded,
    })
}

/// Only values that occur become clients, and rows without a value are one client more.
fn present(codes: &[u32], values: &[String]) -> (Vec<u32>, Vec<String>) {
    let mut occurring: Vec<u32> = codes.to_vec();
    occurring.sort_unstable();
    occurring.dedup();
    let place = |code: &u32| occurring.binary_search(code).expect("a code that occurs") as u32;
    let name = |code: &u32| values.get(*code as usize).cloned().unwrap_or_else(|| "none".into());
    (codes.iter().map(place).collect(), occurring.iter().map(name).collect())
}

fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|client| format!("client {client}")).collect()
}
