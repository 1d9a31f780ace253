//! The clip norm of every reference step.

use flowgait_privacy::ClipNorm;
use flowgait_privacy::clip::AdaptiveParams;

use crate::shared::{Worst, number, rows};

#[test]
fn the_clip_norm_follows_the_reference() {
    let rows = rows("adaptive_clip.csv");
    let Some(first) = rows.first() else { return };
    let first = ClipNorm::new(number(first, "clip_before")).expect("a norm");
    let mut norm = AdaptiveParams::new(first).check().expect("settings");
    let mut worst = Worst::default();
    for row in &rows {
        norm.update(number(row, "unclipped_fraction")).expect("a fraction");
        worst.see(norm.clip_norm().get(), number(row, "clip_after"), 1e-12, row);
    }
    worst.tell("clip norm");
}
