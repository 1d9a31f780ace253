//! A view from the rows of a result.

use std::collections::HashMap;

use flowgait_features::table::RowReader;
use flowgait_features::table::glance::{self, Gait, Glance};

use super::{About, Column, Dictionaries, GaitOf, NONE_16, NONE_32, Values, View};
use crate::error::Error;

/// Rows of a view: of a larger result the first ones are shown. With the longest gaits, texts and all, it then has 250 MB at most, and
/// 60 MB with those of our own tables.
pub(crate) const ROWS_MAX: u64 = 200_000;
/// Rows read at a time.
const BATCH_ROWS: usize = 4_096;
/// The labels of our own flow table.
const OWN_LABELS: [&str; 2] = ["application", "category"];

/// What answered, as far as a view is concerned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answered {
    /// The model's classes.
    pub classes: Vec<String>,
    /// Their categories, where it knows any.
    pub categories: Option<Vec<String>>,
    /// The column that it was fitted by.
    pub label: String,
    /// The columns that the answers added, behind those of the input.
    pub own: Vec<String>,
}

/// Reads rows, at most `most`, into a view; `None` when `goes_on` says no.
///
/// # Errors
/// When a row cannot be read.
pub(crate) fn view(
    about: About,
    answered: &Answered,
    reader: &mut RowReader,
    most: u64,
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<View>, Error> {
    let mut rows = Rows::new(answered, reader.header());
    reader.keep(rows.kept(reader.header().len()));
    while rows.count() < most {
        if !goes_on() {
            return Ok(None);
        }
        let left = usize::try_from(most - rows.count()).unwrap_or(BATCH_ROWS);
        let Some(batch) = reader.next_batch(left.min(BATCH_ROWS))? else { break };
        let mut cells = Vec::new();
        for row in 0..batch.rows() {
            cells.clear();
            cells.extend(batch.cells(row));
            rows.push(&cells);
        }
    }
    Ok(Some(rows.finish(about, answered)))
}

/// A view of no rows.
pub(crate) fn nothing(about: About, answered: &Answered) -> View {
    Rows::new(answered, &answered.own).finish(about, answered)
}

/// Where a result has the columns that the answers added.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    prediction: Option<usize>,
    confidence: Option<usize>,
    second: Option<usize>,
    second_confidence: Option<usize>,
    category: Option<usize>,
}

/// Rows on their way into columns.
struct Rows<'a> {
    places: Places,
    /// Columns that may have the true class.
    labels: Vec<usize>,
    glance: Glance,
    class_of: HashMap<&'a str, u16>,
    category_of: HashMap<&'a str, u16>,
    prediction: Vec<u16>,
    confidence: Vec<f32>,
    category: Vec<u16>,
    second: Vec<u16>,
    second_confidence: Vec<f32>,
    truth: Vec<u16>,
    server: Vec<u32>,
    protocol: Vec<u16>,
    bytes_up: Vec<f64>,
    bytes_down: Vec<f64>,
    duration: Vec<f64>,
    start: Vec<f64>,
    gait_begin: Vec<u32>,
    gait: Gait,
    of_row: Gait,
    servers: Dictionary,
    protocols: Dictionary,
}

impl<'a> Rows<'a> {
    fn new(answered: &'a Answered, header: &[String]) -> Self {
        // The answers stand behind the input's columns, one of which may have the name of one of theirs.
        let begin = header.len().saturating_sub(answered.own.len());
        let own =
            |name: &str| answered.own.iter().position(|own| own == name).map(|place| begin + place);
        let carried = &header[..begin];
        let mut labels: Vec<usize> = Vec::new();
        for name in std::iter::once(answered.label.as_str()).chain(OWN_LABELS) {
            let place = carried.iter().position(|column| column == name);
            labels.extend(place.filter(|place| !labels.contains(place)));
        }
        fn places(names: &[String]) -> HashMap<&str, u16> {
            names.iter().map(String::as_str).zip(0..NONE_16).collect()
        }
        Self {
            places: Places {
                prediction: own("prediction"),
                confidence: own("confidence"),
                second: own("prediction_2"),
                second_confidence: own("confidence_2"),
                category: own("prediction_category"),
            },
            labels,
            glance: Glance::of(carried),
            class_of: places(&answered.classes),
            category_of: places(answered.categories.as_deref().unwrap_or_default()),
            prediction: Vec::new(),
            confidence: Vec::new(),
            category: Vec::new(),
            second: Vec::new(),
            second_confidence: Vec::new(),
            truth: Vec::new(),
            server: Vec::new(),
            protocol: Vec::new(),
            bytes_up: Vec::new(),
            bytes_down: Vec::new(),
            duration: Vec::new(),
            start: Vec::new(),
            gait_begin: vec![0],
            gait: Gait::default(),
            of_row: Gait::default(),
            servers: Dictionary::new(NONE_32),
            protocols: Dictionary::new(NONE_16.into()),
        }
    }

    /// Which of so many columns are looked at.
    fn kept(&self, columns: usize) -> Vec<bool> {
        let Places { prediction, confidence, second, second_confidence, category } = self.places;
        let answers = [prediction, confidence, second, second_confidence, category];
        let looked = answers.into_iter().flatten().chain(self.labels.iter().copied());
        let mut kept = vec![false; columns];
        looked.chain(self.glance.columns()).for_each(|place| kept[place] = true);
        kept
    }

    fn count(&self) -> u64 {
        self.prediction.len() as u64
    }

    fn push(&mut self, cells: &[&str]) {
        let text = |place: Option<usize>| place.map_or("", |place| cells[place]);
        let number = |place| text(place).parse().unwrap_or(f32::NAN);
        let class = |name: &str| self.class_of.get(name).copied().unwrap_or(NONE_16);
        // 'unknown' is no class; where a model has learnt one of that name, it is.
        self.prediction.push(class(text(self.places.prediction)));
        self.confidence.push(number(self.places.confidence));
        self.second.push(class(text(self.places.second)));
        self.second_confidence.push(number(self.places.second_confidence));
        let category = self.category_of.get(text(self.places.category));
        self.category.push(category.copied().unwrap_or(NONE_16));
        let mut truth = self.labels.iter().map(|&place| class(cells[place].trim()));
        let truth = truth.find(|class| *class != NONE_16).unwrap_or(NONE_16);
        self.truth.push(truth);
        let flow = self.glance.at(cells);
        self.server.push(self.servers.place(flow.server));
        let protocol = self.protocols.place(flow.protocol.as_deref());
        self.protocol.push(u16::try_from(protocol).unwrap_or(NONE_16));
        self.bytes_up.push(flow.octets_up);
        self.bytes_down.push(flow.octets_down);
        self.duration.push(flow.duration);
        self.start.push(flow.start);
        self.glance.gait(cells, &mut self.of_row);
        self.gait.sizes.extend_from_slice(&self.of_row.sizes);
        self.gait.times.extend_from_slice(&self.of_row.times);
        // 200,000 rows of 64 packets are far below 2^32.
        self.gait_begin.push(self.gait.sizes.len() as u32);
    }

    fn finish(self, about: About, answered: &Answered) -> View {
        let rows = self.count();
        let mut kept = Kept::default();
        kept.columns.push(Column { name: "prediction", values: Values::U16(self.prediction) });
        kept.f32("confidence", self.confidence);
        kept.u16("category", self.category);
        kept.u16("second", self.second);
        kept.f32("second_confidence", self.second_confidence);
        kept.u16("truth", self.truth);
        let has_servers = !self.servers.texts.is_empty();
        kept.column("server", Values::U32(self.server), has_servers);
        kept.u16("protocol", self.protocol);
        kept.f64("bytes_up", self.bytes_up);
        kept.f64("bytes_down", self.bytes_down);
        kept.f64("duration", self.duration);
        kept.f64("start", self.start);
        let has_gaits = !self.gait.sizes.is_empty();
        kept.column("gait_begin", Values::U32(self.gait_begin), has_gaits);
        kept.column("gait_size", Values::I16(self.gait.sizes), has_gaits);
        kept.f32("gait_time", self.gait.times);
        let gait_of = self.glance.gait_of().filter(|_| has_gaits).map(|of| match of {
            glance::GaitOf::Payload => GaitOf::Payload,
            glance::GaitOf::Packets => GaitOf::Packets,
        });
        let about = About {
            rows,
            classes: answered.classes.clone(),
            categories: answered.categories.clone(),
            gait_of,
            dictionaries: Dictionaries {
                server: self.servers.texts,
                protocol: self.protocols.texts,
            },
            missing: kept.missing,
            ..about
        };
        View { about, columns: kept.columns }
    }
}

/// Columns in which some row has something, and the names of the others.
#[derive(Default)]
struct Kept {
    columns: Vec<Column>,
    missing: Vec<String>,
}

impl Kept {
    fn column(&mut self, name: &'static str, values: Values, tells: bool) {
        if tells {
            self.columns.push(Column { name, values });
        } else {
            self.missing.push(name.to_owned());
        }
    }

    fn u16(&mut self, name: &'static str, values: Vec<u16>) {
        let tells = values.iter().any(|value| *value != NONE_16);
        self.column(name, Values::U16(values), tells);
    }

    fn f32(&mut self, name: &'static str, values: Vec<f32>) {
        let tells = values.iter().any(|value| !value.is_nan());
        self.column(name, Values::F32(values), tells);
    }

    fn f64(&mut self, name: &'static str, values: Vec<f64>) {
        let tells = values.iter().any(|value| !value.is_nan());
        self.column(name, Values::F64(values), tells);
    }
}

/// Texts, each once, in the order in which they came.
struct Dictionary {
    texts: Vec<String>,
    places: HashMap<String, u32>,
    /// The place of what is in no place: when the list is as long as that, too.
    none: u32,
}

impl Dictionary {
    fn new(none: u32) -> Self {
        Self { texts: Vec::new(), places: HashMap::new(), none }
    }

    fn place(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return self.none };
        if let Some(&place) = self.places.get(text) {
            return place;
        }
        let next = self.texts.len() as u32;
        if next >= self.none {
            return self.none;
        }
        self.texts.push(text.to_owned());
        self.places.insert(text.to_owned(), next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowgait_features::Schema;
    use proptest::prelude::*;

    const HEADER: &str =
        "dst_ip,protocol,splt_ps,splt_direction,kind,prediction,prediction,confidence";

    fn answered() -> Answered {
        let texts = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        Answered {
            classes: texts(["web", "video"]),
            categories: None,
            label: "kind".to_owned(),
            own: texts(["prediction", "confidence"]),
        }
    }

    fn made(rows: &[[String; 8]], most: u64, goes_on: bool) -> Option<View> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(HEADER.split(',')).unwrap();
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        let octets = std::io::Cursor::new(writer.into_inner().unwrap());
        let schema = Schema { name: String::new(), features: Vec::new() };
        let mut reader = RowReader::csv("rows", Box::new(octets), &schema).unwrap();
        view(About::default(), &answered(), &mut reader, most, &|| goes_on).unwrap()
    }

    fn column<'a>(view: &'a View, name: &str) -> Option<&'a Values> {
        view.columns.iter().find(|column| column.name == name).map(|column| &column.values)
    }

    fn row(cells: &str) -> [String; 8] {
        let cells: Vec<String> = cells.split(',').map(str::to_owned).collect();
        cells.try_into().unwrap()
    }

    #[test]
    fn the_first_rows_are_shown_and_no_more() {
        let rows = vec![row("10.0.0.1,6,60 52,0 1,web,mine,video,0.75"); 9_000];
        let shown = made(&rows, 5_000, true).unwrap();
        assert_eq!(shown.about.rows, 5_000);
        assert_eq!(column(&shown, "prediction"), Some(&Values::U16(vec![1; 5_000])));
        assert_eq!(column(&shown, "truth"), Some(&Values::U16(vec![0; 5_000])));
        assert_eq!(column(&shown, "server"), Some(&Values::U32(vec![0; 5_000])));
        assert_eq!(shown.about.dictionaries.server, ["10.0.0.1"]);
        assert_eq!(made(&rows, 20_000, true).unwrap().about.rows, 9_000);
        assert_eq!(made(&rows, 5_000, false), None);
    }

    #[test]
    fn what_a_dictionary_has_no_place_for_is_none() {
        let mut few = Dictionary::new(2);
        let places: Vec<u32> = ["a", "b", "a", "c", "b"].map(|text| few.place(Some(text))).to_vec();
        assert_eq!(places, [0, 1, 0, 2, 1]);
        assert_eq!((few.place(None), few.texts), (2, vec!["a".to_owned(), "b".to_owned()]));
    }

    proptest! {
        /// Whatever the cells are, each row has a value in every column, and its packets are its own.
        #[test]
        fn every_row_has_its_place(
            cells in prop::collection::vec(
                prop::array::uniform8("(web|video|unknown|[-0-9 ,.\\[\\]a-f\"]{0,9})"), 0..30),
        ) {
            let shown = made(&cells, 1_000, true).unwrap();
            prop_assert_eq!(shown.about.rows, cells.len() as u64);
            let own = shown.about.missing.len() + shown.columns.len();
            prop_assert_eq!(own, 15);
            for Column { name, values } in &shown.columns {
                match (*name, values) {
                    ("gait_begin", Values::U32(begins)) => {
                        prop_assert_eq!(begins.len(), cells.len() + 1);
                        prop_assert!(begins.is_sorted());
                        let sizes = column(&shown, "gait_size").unwrap();
                        let Values::I16(sizes) = sizes else { panic!("{sizes:?}") };
                        prop_assert_eq!(begins[cells.len()] as usize, sizes.len());
                    }
                    ("gait_size" | "gait_time", _) => {}
                    (name, Values::U16(all)) => prop_assert_eq!(all.len(), cells.len(), "{}", name),
                    (name, Values::U32(all)) => prop_assert_eq!(all.len(), cells.len(), "{}", name),
                    (name, Values::F32(all)) => prop_assert_eq!(all.len(), cells.len(), "{}", name),
                    (name, Values::F64(all)) => prop_assert_eq!(all.len(), cells.len(), "{}", name),
                    (name, Values::I16(_)) => panic!("{name}"),
                }
            }
            let Some(Values::U16(predictions)) = column(&shown, "prediction") else { panic!("none") };
            for (row, place) in cells.iter().zip(predictions) {
                let class = shown.about.classes.get(usize::from(*place));
                prop_assert_eq!(class.is_some(), row[6] == "web" || row[6] == "video");
                prop_assert!(class.is_none_or(|class| *class == row[6]));
            }
        }
    }
}
