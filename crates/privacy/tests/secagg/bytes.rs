//! Bytes that anybody may send, and how many of them an honest client sends.

use flowgait_privacy::secagg::{
    Advert, Confirmation, Confirmations, Error, Inbox, MaskedUpdate, Message, Neighbourhood,
    Reveal, Round, Shares, Survivors,
};
use proptest::prelude::*;

use crate::cohort::{Cohort, Last, params, round_of};

type Read = fn(&Round, &[u8]) -> Result<Vec<u8>, Error>;

fn read<M: Message>(round: &Round, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    M::from_bytes(round, bytes).map(|message| message.to_bytes())
}

const READERS: [Read; 9] = [
    read::<Advert>,
    read::<Neighbourhood>,
    read::<Shares>,
    read::<Inbox>,
    read::<MaskedUpdate>,
    read::<Survivors>,
    read::<Confirmation>,
    read::<Confirmations>,
    read::<Reveal>,
];

/// One message of each kind, in the order of the kinds.
fn messages(round: &Round) -> Vec<Vec<u8>> {
    let mut cohort = Cohort::whole(round, 9);
    let mut messages = Vec::new();
    let joining = flowgait_privacy::secagg::client::Joining::new(
        round,
        flowgait_privacy::secagg::ClientId(3),
        crate::cohort::identity(3),
    );
    let (_, advert) = joining.expect("a member").advertise(&mut cohort.rng);
    messages.push(advert.to_bytes());
    let (mut server, mut clients) = cohort.advertise().expect("a step");
    messages.push(clients[0].2.to_bytes());
    let mut masking = Vec::new();
    for (client, sharing, message) in clients.drain(..) {
        let (next, shares) = sharing.share(&message, &mut cohort.rng).expect("shares");
        messages.truncate(2);
        messages.push(shares.to_bytes());
        server.receive(shares).expect("shares");
        masking.push((client, next));
    }
    let (mut server, inboxes) = server.close().expect("a step");
    messages.push(inboxes[0].1.to_bytes());
    let mut confirming = Vec::new();
    for ((_, client), (_, inbox)) in masking.into_iter().zip(&inboxes) {
        let (next, masked) = client.mask(inbox, &vec![1; round.entries()]).expect("an update");
        messages.truncate(4);
        messages.push(masked.to_bytes());
        server.receive(&masked).expect("an update");
        confirming.push(next);
    }
    let (mut server, survivors) = server.close().expect("a step");
    messages.push(survivors.to_bytes());
    let mut unmasking = Vec::new();
    for client in confirming {
        let (next, confirmation) = client.confirm(&survivors).expect("a survivor");
        messages.truncate(6);
        messages.push(confirmation.to_bytes());
        server.receive(confirmation).expect("a signature");
        unmasking.push(next);
    }
    let (_, confirmations) = server.close().expect("a step");
    messages.push(confirmations[0].1.to_bytes());
    let client = unmasking.into_iter().next().expect("a client");
    messages.push(client.unmask(&confirmations[0].1).expect("a reveal").to_bytes());
    messages
}

#[test]
fn a_message_that_is_cut_or_followed_by_something_is_refused() {
    let round = round_of(6, params(4, 3, 5));
    for (message, read) in messages(&round).iter().zip(READERS) {
        assert_eq!(read(&round, message).as_ref(), Ok(message));
        for len in 0..message.len() {
            assert!(read(&round, &message[..len]).is_err(), "{} of {}", len, message.len());
        }
        let longer = [&message[..], &[0]].concat();
        assert!(matches!(read(&round, &longer), Err(Error::Malformed { .. })));
    }
}

#[test]
fn no_message_is_taken_for_another() {
    let round = round_of(6, params(4, 3, 5));
    for (kind, message) in messages(&round).iter().enumerate() {
        for (other, read) in READERS.iter().enumerate() {
            assert_eq!(read(&round, message).is_ok(), kind == other);
        }
    }
}

#[test]
fn a_list_longer_than_the_neighbours_is_refused_before_it_is_read() {
    let round = round_of(6, params(4, 3, 5));
    for (kind, at) in [(2u8, 1), (3, 5), (4, 1), (8, 1), (9, 5)] {
        let mut bytes = vec![kind];
        bytes.resize(at, 0);
        bytes.extend_from_slice(&u16::MAX.to_le_bytes());
        let result = READERS[usize::from(kind) - 1](&round, &bytes);
        let told = result.expect_err("five entries at least").to_string();
        assert!(told.ends_with("it lists more than there are neighbours"), "{told}");
    }
}

#[test]
fn an_upload_is_hardly_longer_than_the_plain_vector() {
    let neighbours = 26;
    let round = round_of(100, params(neighbours, 16, 19_000));
    let mut last = vec![Last::Advertises; 100];
    last.fill(Last::Shares);
    let mut cohort = Cohort::new(&round, &last, 1);
    let (server, clients) = cohort.advertise().expect("a step");
    let (_, clients) = cohort.share(server, clients).expect("a step");
    let (_, masking, inbox) = clients.into_iter().next().expect("a client");
    let (_, masked) = masking.mask(&inbox, &vec![1000; 19_000]).expect("an update");
    // 100 * 1024 < 2^17: 18 bits an entry instead of 32.
    assert_eq!(masked.to_bytes().len(), 5 + (19_000 * 18usize).div_ceil(8));
    assert!(masked.encoded_len() < 4 * 19_000);
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_or_an_error(
        kind in 0usize..9,
        mut bytes in prop::collection::vec(any::<u8>(), 0..700),
        small in prop::collection::vec(0u8..5, 8),
    ) {
        let round = round_of(6, params(4, 3, 5));
        // So that lists and clients are often possible ones.
        let start: Vec<u8> = std::iter::once(kind as u8 + 1).chain(small).collect();
        let len = bytes.len().min(start.len());
        bytes[..len].copy_from_slice(&start[..len]);
        if let Ok(written) = READERS[kind](&round, &bytes) {
            prop_assert_eq!(written, bytes);
        }
    }

    #[test]
    fn a_changed_byte_is_read_as_what_it_says_or_refused(
        kind in 0usize..9,
        at: prop::sample::Index,
        change in 1u8..=255,
    ) {
        let round = round_of(6, params(4, 3, 5));
        let mut bytes = messages(&round).swap_remove(kind);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        if let Ok(written) = READERS[kind](&round, &bytes) {
            prop_assert_eq!(written, bytes);
        }
    }
}
