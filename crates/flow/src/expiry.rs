//! Queues of flows in the order of a moment (last activity, start, close), so that deadlines come up in order.
//!
//! All timeouts are constant, so the flow that was touched first is also the first to time out: a doubly linked list per timeout
//! is an exact timer with constant cost, and a timer wheel would only be a coarser one. The same list by last activity also
//! names the flow to evict, and the moment before which no record can still appear (the output's watermark). Deadlines are
//! compared with the stream's clock, so they pass without packets of their own flow.
//!
//! The links lie apart from the flows: four to eight of them share a cache line, and moving a flow to the end of its queue
//! touches its two neighbours.

/// No flow.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
}

const LOOSE: Link = Link { before: NONE, after: NONE };

/// The links of one kind of queue; a flow is in at most one queue of a kind.
#[derive(Debug, Default)]
pub(crate) struct Links(Vec<Link>);

/// The ends of one queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    first: u32,
    last: u32,
}

impl Queue {
    pub const EMPTY: Self = Self { first: NONE, last: NONE };

    /// The flow that has waited longest.
    pub fn first(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    pub fn push(&mut self, links: &mut Links, flow: u32) {
        links.0[flow as usize] = Link { before: self.last, after: NONE };
        match self.last {
            NONE => self.first = flow,
            last => links.0[last as usize].after = flow,
        }
        self.last = flow;
    }

    pub fn remove(&mut self, links: &mut Links, flow: u32) {
        let Link { before, after } = links.0[flow as usize];
        match before {
            NONE => self.first = after,
            before => links.0[before as usize].after = after,
        }
        match after {
            NONE => self.last = before,
            after => links.0[after as usize].before = before,
        }
    }

    pub fn move_to_end(&mut self, links: &mut Links, flow: u32) {
        if self.last != flow {
            self.remove(links, flow);
            self.push(links, flow);
        }
    }
}

impl Links {
    /// Reads what moving a flow will read.
    pub fn touch(&self, flow: u32) -> u32 {
        let Link { before, after } = self.0[flow as usize];
        let of = |flow: u32| self.0.get(flow as usize).map_or(0, |link| link.before);
        of(before) ^ of(after)
    }

    /// Makes room for one more flow.
    pub fn grow(&mut self, capacity: usize) {
        if self.0.capacity() < capacity {
            self.0.reserve_exact(capacity - self.0.len());
        }
        self.0.push(LOOSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(mut queue: Queue, links: &mut Links) -> Vec<u32> {
        let mut order = Vec::new();
        while let Some(flow) = queue.first() {
            queue.remove(links, flow);
            order.push(flow);
        }
        order
    }

    #[test]
    fn keeps_the_order_of_touching() {
        let mut links = Links::default();
        let mut queue = Queue::EMPTY;
        for flow in 0..5 {
            links.grow(8);
            queue.push(&mut links, flow);
        }
        queue.move_to_end(&mut links, 0);
        queue.move_to_end(&mut links, 2);
        queue.move_to_end(&mut links, 2);
        queue.remove(&mut links, 3);
        assert_eq!(drain(queue, &mut links), [1, 4, 0, 2]);
    }
}
