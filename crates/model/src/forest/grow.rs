//! One tree: rows are split until they are pure, depth first.
//!
//! Sketch: a node costs O(its rows) for each column it tries and never O(bins × classes). The rows of a
//! node are 8-octet items; the octets of eight tried columns are gathered at one touch of a row; below
//! 8,192 rows the touched lines are copied together once and stay in the second-level cache. The
//! search itself is in [`super::split`].

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::chance;

use super::{
    bin::MISSING,
    keyed,
    split::{Amount, Best, CHUNK, Column, Search},
    tree::{Grown, GrownTree, MixedLeaf},
};

/// From so few rows on, a node's lines are copied together.
const LOCAL_ROWS: usize = 8_192;

/// A row of a node: its line, its class and how often the bootstrap drew it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Item(u64);

impl Item {
    pub(crate) fn new(row: usize, class: u16, times: u16) -> Self {
        Self(row as u64 | u64::from(class) << 32 | u64::from(times) << 48)
    }

    pub(crate) fn row(self) -> usize {
        self.0 as u32 as usize
    }

    pub(crate) fn class(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// Class and times together, as the search carries them.
    pub(crate) fn mark(self) -> Mark {
        Mark((self.0 >> 32) as u32)
    }

    fn at_row(self, row: usize) -> Self {
        Self(self.0 >> 32 << 32 | row as u64)
    }
}

/// Class and times of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark(pub(crate) u32);

impl Mark {
    pub(crate) fn class(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    pub(crate) fn times(self) -> u16 {
        (self.0 >> 16) as u16
    }
}

/// What all trees of a forest learn from.
pub(crate) struct Ground<'a> {
    /// Binned rows, one line of `stride` octets after the other.
    pub(crate) lines: &'a [u8],
    pub(crate) stride: usize,
    /// Class of each line.
    pub(crate) classes: &'a [u16],
    pub(crate) class_count: usize,
    /// Weight of each class; empty where all count 1.
    pub(crate) class_weights: &'a [f64],
    /// Whether a column has missing values anywhere.
    pub(crate) has_missing: &'a [bool],
    /// The middle value of each column's bins.
    pub(crate) typical: &'a [Vec<f32>],
    pub(crate) limits: Limits,
    /// A key for each line, where chance is to depend on keys and paths ([`keyed`]) and not on what was drawn before.
    pub(crate) keys: Option<&'a [u64]>,
}

/// When to stop, and how to search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) depth_max: usize,
    pub(crate) leaf_rows_min: usize,
    pub(crate) features_tried: usize,
    pub(crate) bootstrap: bool,
    pub(crate) random_thresholds: bool,
}

/// A node that waits to be looked at.
struct Open {
    begin: usize,
    end: usize,
    depth: usize,
    node: usize,
    /// The key of the way to it.
    key: u64,
}

/// Chance for one tree: it depends on the forest's seed and the tree's index, on nothing else.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64, tree: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(tree as u64);
        Self(rng)
    }

    /// Chance for one node alone, and all columns in an order drawn by it.
    pub(crate) fn of_node(seed: u64, tree: usize, key: u64, features: &mut [u32]) -> Self {
        let mut own = Self(keyed::node_rng(seed, tree, key));
        let count = features.len();
        features.iter_mut().zip(0..).for_each(|(feature, at)| *feature = at);
        for at in 0..count {
            features.swap(at, at + own.below(count - at));
        }
        own
    }

    /// A number from 0 to below 1.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / (1_u64 << 32) as f64
    }

    /// A number below `limit`, by multiplication; its bias is below `limit` / 2^32.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        chance::below(&mut self.0, limit)
    }
}

/// Grows trees, and keeps its memory from one to the next.
pub(crate) struct Grower<'a, A: Amount> {
    ground: &'a Ground<'a>,
    search: Search<A>,
    items: Vec<Item>,
    spare: Vec<Item>,
    local: Vec<u8>,
    packs: Vec<[u8; CHUNK]>,
    /// All columns, shuffled further at each node.
    features: Vec<u32>,
    tree: GrownTree,
    open: Vec<Open>,
    seed: u64,
    index: usize,
}

impl<'a, A: Amount> Grower<'a, A> {
    pub(crate) fn new(ground: &'a Ground<'a>) -> Self {
        let weights = ground.class_weights;
        Self {
            ground,
            search: Search::new(ground.class_count, weights, ground.limits),
            items: Vec::new(),
            spare: Vec::new(),
            local: Vec::new(),
            packs: Vec::new(),
            features: Vec::new(),
            tree: GrownTree::default(),
            open: Vec::new(),
            seed: 0,
            index: 0,
        }
    }

    /// Grows the tree with this index.
    pub(crate) fn grow(&mut self, seed: u64, index: usize) -> GrownTree {
        let mut chance = Chance::new(seed, index);
        (self.seed, self.index) = (seed, index);
        self.draw_rows(&mut chance);
        self.spare.resize(self.items.len(), Item::default());
        self.features = (0..self.ground.has_missing.len() as u32).collect();
        self.tree = GrownTree::new(self.ground.has_missing.len());
        if self.items.is_empty() {
            self.tree.push_leaf(0, MixedLeaf::ignorant(self.ground.class_count), 0);
            return std::mem::take(&mut self.tree);
        }
        let key = keyed::ROOT_KEY;
        self.open.push(Open { begin: 0, end: self.items.len(), depth: 0, node: 0, key });

        let ground = self.ground;
        let mut local = std::mem::take(&mut self.local);
        while let Some(open) = self.open.pop() {
            if open.end - open.begin > LOCAL_ROWS {
                self.visit(&open, ground.lines, &mut chance);
                continue;
            }
            self.copy_lines(&open, &mut local);
            let below = self.open.len();
            self.open.push(open);
            while self.open.len() > below {
                let open = self.open.pop().expect("invariant: more open nodes than below");
                self.visit(&open, &local, &mut chance);
            }
        }
        self.local = local;
        std::mem::take(&mut self.tree)
    }

    /// Draws the tree's rows: a bootstrap becomes weights on distinct rows.
    fn draw_rows(&mut self, chance: &mut Chance) {
        let classes = self.ground.classes;
        self.items.clear();
        if !self.ground.limits.bootstrap {
            self.items.extend(classes.iter().enumerate().map(|(row, &c)| Item::new(row, c, 1)));
            return;
        }
        let mut times = vec![0_u16; classes.len()];
        if let Some(keys) = self.ground.keys {
            for (times, &key) in times.iter_mut().zip(keys) {
                *times = keyed::times(self.seed, self.index, key);
            }
        } else {
            for _ in 0..classes.len() {
                let times = &mut times[chance.below(classes.len())];
                *times = times.saturating_add(1);
            }
        }
        let drawn = times.iter().zip(classes).enumerate().filter(|(_, (times, _))| **times > 0);
        self.items.extend(drawn.map(|(row, (&times, &class))| Item::new(row, class, times)));
    }

    /// Copies the lines of a node's rows together.
    fn copy_lines(&mut self, open: &Open, local: &mut Vec<u8>) {
        let stride = self.ground.stride;
        local.clear();
        for (row, item) in self.items[open.begin..open.end].iter_mut().enumerate() {
            let from = item.row() * stride;
            local.extend_from_slice(&self.ground.lines[from..from + stride]);
            *item = item.at_row(row);
        }
    }

    /// Makes a node a leaf or splits it and opens its children.
    fn visit(&mut self, open: &Open, lines: &[u8], chance: &mut Chance) {
        let Open { begin, end, depth, node, key } = *open;
        let limits = self.ground.limits;
        let first = self.items[begin].class();
        let rows = end - begin;
        if self.items[begin..end].iter().all(|item| item.class() == first) {
            self.tree.nodes[node] = Grown::pure(first, rows);
            return;
        }
        self.search.open(&self.items[begin..end]);
        let best = if depth < limits.depth_max && rows / 2 >= limits.leaf_rows_min {
            if self.ground.keys.is_some() {
                *chance = Chance::of_node(self.seed, self.index, key, &mut self.features);
            }
            self.search_columns(begin, end, lines, chance)
        } else {
            None
        };
        let Some(mut best) = best else {
            let leaf = MixedLeaf::new(self.search.class_amounts(&self.items[begin..end]));
            self.search.close(&self.items[begin..end]);
            self.tree.push_leaf(node, leaf, rows);
            return;
        };
        self.tree.importance[best.feature] += self.search.decrease(&best);
        self.search.close(&self.items[begin..end]);
        let (middle, missing) = self.partition(begin, end, lines, &best);
        if self.ground.has_missing[best.feature] && !missing {
            // Nothing missing to learn from here: a missing value goes where most rows went.
            best.missing_left = middle - begin > end - middle;
        }
        let pair = self.tree.push_pair();
        self.tree.nodes[node] = Grown::split(&best, pair, rows);
        // The smaller side waits, so that the list of open nodes stays short.
        let keys = self.ground.keys.map_or((0, 0), |_| keyed::children(key));
        let depth = depth + 1;
        let left = Open { begin, end: middle, depth, node: 2 * pair, key: keys.0 };
        let right = Open { begin: middle, end, depth, node: 2 * pair + 1, key: keys.1 };
        let (waits, next) =
            if middle - begin < end - middle { (left, right) } else { (right, left) };
        self.open.push(waits);
        self.open.push(next);
    }

    /// Tries columns in random order: as many as asked for, and on until one can be split.
    fn search_columns(
        &mut self,
        begin: usize,
        end: usize,
        lines: &[u8],
        chance: &mut Chance,
    ) -> Option<Best> {
        let count = self.features.len();
        let mut best = Best::none();
        let mut tried = 0;
        while tried < count {
            let quota = self.ground.limits.features_tried;
            let want = if tried < quota { (quota - tried).min(CHUNK) } else { 1 };
            let until = (tried + want).min(count);
            // Keyed columns are in order already.
            let drawn = if self.ground.keys.is_some() { until } else { tried };
            for at in drawn..until {
                let other = at + chance.below(count - at);
                self.features.swap(at, other);
            }
            let chosen = &self.features[tried..until];
            let mut places = [chosen[0] as usize; CHUNK];
            for (place, &feature) in places.iter_mut().zip(chosen) {
                *place = feature as usize;
            }
            gather(lines, self.ground.stride, &self.items[begin..end], &places, &mut self.packs);
            for (lane, &feature) in places[..until - tried].iter().enumerate() {
                let may_miss = self.ground.has_missing[feature];
                let items = &self.items[begin..end];
                let typical = &self.ground.typical[feature];
                let packs = &self.packs;
                let column = Column { packs, lane, feature, may_miss, typical };
                self.search.try_column(&column, items, &mut best, chance);
                if self.search.is_perfect(&best) {
                    return Some(best);
                }
            }
            tried = until;
            if tried >= quota && best.found() {
                break;
            }
        }
        best.found().then_some(best)
    }

    /// Moves the rows of the left side to the front, keeping their order.
    /// Returns where the right side begins and whether any row's value is missing.
    fn partition(&mut self, begin: usize, end: usize, lines: &[u8], best: &Best) -> (usize, bool) {
        let stride = self.ground.stride;
        let shift = u8::from(best.missing_left);
        let limit = best.bin + shift;
        let items = &mut self.items[begin..end];
        let (mut left, mut right) = (0, 0);
        let mut missing = false;
        for at in 0..items.len() {
            let item = items[at];
            let bin = lines[item.row() * stride + best.feature];
            missing |= bin == MISSING;
            let goes_right = bin.wrapping_add(shift) > limit;
            items[left] = item;
            self.spare[right] = item;
            left += usize::from(!goes_right);
            right += usize::from(goes_right);
        }
        items[left..].copy_from_slice(&self.spare[..right]);
        (begin + left, missing)
    }
}

/// Gathers the octets of eight columns, all of one row at a touch.
fn gather(
    lines: &[u8],
    stride: usize,
    items: &[Item],
    places: &[usize; CHUNK],
    packs: &mut Vec<[u8; CHUNK]>,
) {
    packs.clear();
    packs.extend(items.iter().map(|item| {
        let line = &lines[item.row() * stride..][..stride];
        places.map(|place| line[place])
    }));
}

#[cfg(test)]
mod tests;
