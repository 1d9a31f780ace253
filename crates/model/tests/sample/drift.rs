//! A drift of made numbers, as a report shows it.

use flowgait_model::drift::{
    Alarm, AlarmKind, Change, ClassDrift, Drift, Extent, Measure, Moved, Shift, Side,
};

fn change<T>(before: T, since: T) -> Change<T> {
    Change { before, since }
}

fn class(name: &str, volume: (f64, f64), recall: (f64, f64), confidence: (f64, f64)) -> ClassDrift {
    let some = |(before, since): (f64, f64)| change(Some(before), Some(since));
    ClassDrift {
        class: name.to_owned(),
        learnt: true,
        rows: change((volume.0 * 12_000.0) as u64, (volume.1 * 8_000.0) as u64),
        volume: change(volume.0, volume.1),
        said: change(volume.0 * 1.1, volume.1 * 0.9),
        recall: some(recall),
        confidence: some(confidence),
        alarm: None,
    }
}

fn moved(name: &str, unit: &str, distance: f64, median: (f64, f64)) -> Moved {
    Moved {
        name: name.to_owned(),
        unit: unit.to_owned(),
        importance: 0.123,
        distance,
        median: change(Some(median.0), Some(median.1)),
        missing: change(0.0, distance / 4.0),
    }
}

/// Everything a drift can show: a class that changed, one that is new, many that did not change, and features of every size.
pub fn drift() -> Drift {
    let mut voice = class("Voice call", (0.21, 0.19), (0.981, 0.324), (0.952, 0.61));
    voice.alarm = Some(Alarm {
        kind: AlarmKind::Changed,
        measures: vec![Measure::Recall, Measure::Confidence],
        reason: "recall fell from 0.981 to 0.324, now mostly missed as Web browsing; confidence fell from 0.952 to 0.610".to_owned(),
        p_value: Some(1e-12),
    });
    let game = ClassDrift {
        learnt: false,
        rows: change(0, 41),
        recall: change(None, Some(0.0)),
        confidence: change(None, Some(0.44)),
        alarm: Some(Alarm {
            kind: AlarmKind::NeverLearnt,
            measures: Vec::new(),
            reason:
                "not among what was learnt: 41 flows (0.5\u{202f}%), answered as Voice call most often"
                    .to_owned(),
            p_value: None,
        }),
        ..class(
            "Cloud game with a name that is longer than most",
            (0.0, 0.005),
            (0.0, 0.0),
            (0.0, 0.0),
        )
    };
    let mut classes = vec![game, voice];
    let steady =
        |number| class(&format!("Kind {number}"), (0.0334, 0.0335), (0.9, 0.91), (0.8, 0.8));
    classes.extend((0..24).map(steady));
    let features = vec![
        moved("payload_octets_forward_mean", "octets", 0.61, (1_234.5, 98_765_432.0)),
        moved("gap_backward_median_in_the_first_packets", "micros", 0.4, (0.0123, 12.345)),
        Moved {
            median: change(None, Some(-86.0)),
            ..moved("packet_octets_3", "octets", 0.2, (0.0, 0.0))
        },
        Moved { missing: change(0.0, 0.0), ..moved("protocol=udp", "one-hot", 0.01, (0.0, 1.0)) },
    ];
    let side = |rows, accuracy, f1_macro| Side {
        rows,
        accuracy,
        accuracy_low: accuracy - 0.01,
        accuracy_high: accuracy + 0.01,
        f1_macro,
    };
    Drift {
        moment: "2026-11-01 00:00:00 UTC".to_owned(),
        folds: Some("grouped by capture".to_owned()),
        before: side(12_000, 0.9512, 0.9433),
        since: side(8_000, 0.8127, 0.79),
        shift: Shift {
            all: Extent { sum: 0.2134, chance: 0.0312, p_value: 1.0 / 201.0 },
            within: Some(Extent { sum: 0.1234, chance: 0.0456, p_value: 1.0 / 201.0 }),
            draws: 200,
            rows: (10_000, 8_000),
            weighed: true,
            features,
        },
        classes,
        notes: vec!["Left out, as nothing tells when they began: 3 rows.".to_owned()],
    }
}
