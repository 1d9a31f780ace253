//! A server, or a client, that says what is not so.

use flowgait_privacy::secagg::client::Unmasking;
use flowgait_privacy::secagg::{
    Advert, ClientId, Confirmations, Error, Inbox, Message, Neighbourhood, Reveal, Shares,
    Survivors,
};
use proptest::prelude::*;

use crate::cohort::{Cohort, Last, identity, params, round_of, sent};

/// Survivors by a list, as any server can write them.
fn survivors(cohort: &Cohort, clients: &[u32]) -> Survivors {
    let mut bytes = vec![6];
    bytes.resize(1 + cohort.round.cohort().div_ceil(8), 0);
    for client in clients {
        bytes[1 + *client as usize / 8] |= 1 << (client % 8);
    }
    Survivors::from_bytes(&cohort.round, &bytes).expect("a set of clients")
}

fn updates(clients: usize) -> Vec<Vec<i64>> {
    vec![vec![1; 5]; clients]
}

/// A message with some of its bytes changed.
fn changed<M: Message>(cohort: &Cohort, message: &M, change: impl Fn(&mut Vec<u8>)) -> M {
    let mut bytes = message.to_bytes();
    change(&mut bytes);
    M::from_bytes(&cohort.round, &bytes).expect("still a message")
}

#[test]
fn two_clients_that_were_shown_different_survivors_find_out() {
    let mut cohort = Cohort::whole(&round_of(7, params(6, 4, 5)), 1);
    let (server, clients) = cohort.advertise().expect("a step");
    let (server, clients) = cohort.share(server, clients).expect("a step");
    let (_, clients) = cohort.mask(server, clients, &updates(7)).expect("a step");
    // To client 0 the server says that client 6 was lost, to all others that it survived.
    let (everybody, without) =
        (survivors(&cohort, &[0, 1, 2, 3, 4, 5, 6]), survivors(&cohort, &[0, 1, 2, 3, 4, 5]));
    let mut confirmed = Vec::new();
    for (client, confirming, _) in clients {
        let shown = if client == ClientId(0) { &without } else { &everybody };
        confirmed.push(confirming.confirm(shown).expect("a set that could be"));
    }
    let all: Vec<_> = confirmed.iter().map(|(_, confirmation)| confirmation.to_bytes()).collect();
    // A server cannot make signatures up, so it passes on those that it has.
    for (place, (unmasking, _)) in confirmed.into_iter().enumerate() {
        let others = (0..6).filter(|&other| other != place);
        let listed: Vec<u8> = others.flat_map(|other| all[other][1..].to_vec()).collect();
        let count = if place == 6 { 6u16 } else { 5 };
        let bytes = [&[8][..], &count.to_le_bytes(), &listed].concat();
        let message = Confirmations::from_bytes(&cohort.round, &bytes).expect("confirmations");
        let result = unmasking.unmask(&message).map(|_| ());
        let liar = if place == 0 { 1 } else { 0 };
        let expected = Error::Signature { client: ClientId(liar), what: "the survivors" };
        assert_eq!(result, Err(expected), "client {place}");
    }
}

#[test]
fn a_client_that_sent_its_update_does_not_help_a_server_that_calls_it_lost() {
    let mut cohort = Cohort::whole(&round_of(5, params(4, 3, 5)), 2);
    let (server, clients) = cohort.advertise().expect("a step");
    let (server, clients) = cohort.share(server, clients).expect("a step");
    let (_, clients) = cohort.mask(server, clients, &updates(5)).expect("a step");
    let shown = survivors(&cohort, &[1, 2, 3, 4]);
    for (client, confirming, _) in clients {
        let result = confirming.confirm(&shown).map(|_| ());
        let reason = "the server says that it was lost";
        let refused = Err(Error::Unexpected { client, reason });
        assert_eq!(result, if client == ClientId(0) { refused } else { Ok(()) });
    }
}

#[test]
fn too_few_survivors_or_signatures_unmask_nothing() {
    let mut cohort = Cohort::whole(&round_of(5, params(4, 3, 5)), 3);
    let (server, clients) = cohort.advertise().expect("a step");
    let (server, clients) = cohort.share(server, clients).expect("a step");
    let (server, clients) = cohort.mask(server, clients, &updates(5)).expect("a step");
    let (_, clients) = cohort.confirm(server, clients).expect("a step");
    for (client, unmasking, confirmations) in clients {
        // The first two of four signatures.
        let few = changed(&cohort, &confirmations, |bytes| {
            bytes[1] = 2;
            bytes.truncate(3 + 2 * 68);
        });
        let (step, left, threshold) = ("confirming", 2, 3);
        let expected = Error::BelowThreshold { client, step, left, threshold };
        assert_eq!(unmasking.unmask(&few).map(|_| ()), Err(expected));
    }
    let (server, clients) = cohort.advertise().expect("a step");
    let (server, clients) = cohort.share(server, clients).expect("a step");
    let (_, clients) = cohort.mask(server, clients, &updates(5)).expect("a step");
    let (client, confirming, _) = clients.into_iter().next().expect("a client");
    let alone = survivors(&cohort, &[0, 1, 2]);
    let (step, left, threshold) = ("masking", 2, 3);
    let expected = Error::BelowThreshold { client, step, left, threshold };
    assert_eq!(confirming.confirm(&alone).map(|_| ()), Err(expected));
}

#[test]
fn keys_that_the_server_made_up_or_kept_from_another_round_are_refused() {
    let check = |change: &dyn Fn(&mut Vec<u8>), expected: Error| {
        let mut cohort = Cohort::whole(&round_of(5, params(4, 3, 5)), 4);
        let (_, mut clients) = cohort.advertise().expect("a step");
        let (_, sharing, neighbourhood) = clients.remove(0);
        let changed: Neighbourhood = changed(&cohort, &neighbourhood, change);
        assert_eq!(sharing.share(&changed, &mut cohort.rng).map(|_| ()), Err(expected));
    };
    let what = "its keys";
    let wrong = |client| Error::Signature { client: ClientId(client), what };
    // Adverts are 164 bytes behind a kind and a count: a client, two keys, a hash, a signature.
    check(&|bytes| bytes[3 + 4] ^= 1, wrong(1));
    check(&|bytes| bytes[3 + 164 + 4 + 32] ^= 1, wrong(2));
    check(&|bytes| bytes[3 + 2 * 164 + 4 + 64] ^= 1, wrong(3));
    check(&|bytes| bytes[3 + 3 * 164 + 4 + 96] ^= 1, wrong(4));
    // The same keys under the name of another.
    let reason = "neighbours are others, each once, in ascending order";
    check(&|bytes| bytes[3] = 0, Error::Unexpected { client: ClientId(0), reason });
    check(&|bytes| bytes[3 + 164] = 1, Error::Unexpected { client: ClientId(1), reason });

    let mut earlier = Cohort::whole(&round_of(5, params(4, 3, 5)), 4);
    let (_, clients) = earlier.advertise().expect("a step");
    let (old, _) = (clients[0].2.clone(), clients);
    let mut later = params(4, 3, 5);
    later.round += 1;
    let mut later = Cohort::whole(&round_of(5, later), 4);
    let (_, mut clients) = later.advertise().expect("a step");
    let (_, sharing, _) = clients.remove(0);
    assert_eq!(sharing.share(&old, &mut later.rng).map(|_| ()), Err(wrong(1)));
}

#[test]
fn keys_are_taken_once_and_only_from_who_signed_them() {
    use flowgait_privacy::secagg::client::Joining;
    use flowgait_privacy::secagg::server::Enrolling;
    let round = round_of(5, params(4, 3, 5));
    let mut server = Enrolling::new(&round);
    let joining = Joining::new(&round, ClientId(2), identity(2)).expect("a member");
    let (_, advert) = joining.advertise(&mut crate::cohort::rng(1));
    let mut forged = advert.to_bytes();
    forged[5] ^= 1;
    let forged = Advert::from_bytes(&round, &forged).expect("an advert");
    let what = "its keys";
    assert_eq!(server.receive(forged), Err(Error::Signature { client: ClientId(2), what }));
    assert_eq!(server.receive(sent(&round, &advert)), Ok(()));
    let reason = "it has already sent this message";
    let again = server.receive(advert);
    assert_eq!(again, Err(Error::Unexpected { client: ClientId(2), reason }));
    let another = Joining::new(&round, ClientId(1), identity(2)).map(|_| ());
    assert!(matches!(another, Err(Error::Unexpected { client: ClientId(1), .. })));
}

#[test]
fn a_forger_of_shares_is_named_and_ends_nobody_elses_round() {
    let mut cohort = Cohort::whole(&round_of(6, params(5, 3, 5)), 5);
    let (server, clients) = cohort.advertise().expect("a step");
    let (server, mut clients) = cohort.share(server, clients).expect("a step");
    // Shares are 148 bytes behind a kind and a count: a client, two hashes, the sealed pair. Of client 1's five inbound
    // shares that of client 2 has another box, that of client 3 another hash.
    let inbox = &clients[1].2;
    let forged: Inbox = changed(&cohort, inbox, |bytes| {
        bytes[3 + 148 + 68] ^= 1;
        bytes[3 + 2 * 148 + 4] ^= 1;
    });
    clients[1].2 = forged;
    let (server, clients) = cohort.mask(server, clients, &updates(6)).expect("a step");
    let unopened: Vec<_> =
        clients.iter().map(|(_, c, _)| c.unopened().collect::<Vec<_>>()).collect();
    assert_eq!(unopened[1], [ClientId(2), ClientId(3)]);
    assert!(unopened.iter().enumerate().all(|(place, named)| place == 1 || named.is_empty()));
    let (server, clients) = cohort.confirm(server, clients).expect("a step");
    let sum = cohort.unmask(server, clients).expect("the others hold enough shares");
    assert_eq!(sum.entries, [6; 5]);
}

#[test]
fn shares_for_others_than_the_neighbours_are_refused() {
    let mut cohort = Cohort::whole(&round_of(5, params(4, 3, 5)), 6);
    let (mut server, clients) = cohort.advertise().expect("a step");
    let (client, sharing, neighbourhood) = clients.into_iter().next().expect("a client");
    let (_, shares) = sharing.share(&neighbourhood, &mut cohort.rng).expect("shares");
    let swapped: Shares = changed(&cohort, &shares, |bytes| bytes[7] = 2);
    let reason = "its shares are not for its neighbours in ascending order";
    assert_eq!(server.receive(swapped), Err(Error::Unexpected { client, reason }));
    let stranger: Shares = changed(&cohort, &shares, |bytes| bytes[1] = 4);
    assert!(server.receive(stranger).is_err());
    assert_eq!(server.receive(shares), Ok(()));
}

/// All that a round of six needs, but for the unmasking; client 5 is lost after sharing.
fn before_unmasking(
    seed: u64,
) -> (Cohort, flowgait_privacy::secagg::server::Revealing, Vec<(ClientId, Unmasking, Confirmations)>)
{
    let mut last = [Last::Reveals; 6];
    last[5] = Last::Shares;
    let mut cohort = Cohort::new(&round_of(6, params(5, 4, 5)), &last, seed);
    let (server, clients) = cohort.advertise().expect("a step");
    let (server, clients) = cohort.share(server, clients).expect("a step");
    let (server, clients) = cohort.mask(server, clients, &updates(6)).expect("a step");
    let (server, clients) = cohort.confirm(server, clients).expect("a step");
    (cohort, server, clients)
}

#[test]
fn a_wrong_share_is_refused_and_its_holder_named() {
    let (cohort, mut server, clients) = before_unmasking(7);
    let reveals: Vec<Reveal> =
        clients.into_iter().map(|(_, c, m)| c.unmask(&m).expect("a reveal")).collect();
    // Shares are 37 bytes behind a kind, a client and a count: an owner, a half, the share.
    let wrong: Reveal = changed(&cohort, &reveals[0], |bytes| bytes[7 + 37 + 5] ^= 1);
    let (holder, owner) = (ClientId(0), ClientId(2));
    assert_eq!(server.receive(&wrong), Err(Error::WrongShare { holder, owner }));
    // The other half of what was asked for.
    let half: Reveal = changed(&cohort, &reveals[0], |bytes| bytes[7 + 4] = 1);
    let reason = "it reveals what nobody asked for";
    assert_eq!(server.receive(&half), Err(Error::Unexpected { client: holder, reason }));
    // Somebody else's shares, and a share twice.
    assert!(server.receive(&changed(&cohort, &reveals[0], |bytes| bytes[1] = 1)).is_err());
    let twice: Reveal = changed(&cohort, &reveals[0], |bytes| bytes.copy_within(7..44, 44));
    assert!(server.receive(&twice).is_err());
    assert!(server.receive(&changed(&cohort, &reveals[0], |bytes| bytes[1] = 5)).is_err());
    // Nothing of the refused ones was kept, and the right one is taken still.
    for reveal in &reveals {
        assert_eq!(server.receive(reveal), Ok(()));
    }
    assert!(server.receive(&reveals[0]).is_err());
    assert_eq!(server.close().expect("a sum").entries, [5; 5]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_a_server_says_of_survivors_only_one_half_of_each_secret_is_revealed(
        bits in prop::collection::vec(any::<bool>(), 6),
        seed: u64,
    ) {
        let mut cohort = Cohort::whole(&round_of(6, params(5, 3, 5)), seed);
        let (server, clients) = cohort.advertise().expect("a step");
        let (server, clients) = cohort.share(server, clients).expect("a step");
        let (_, clients) = cohort.mask(server, clients, &updates(6)).expect("a step");
        let said: Vec<u32> = (0..6).filter(|&client| bits[client as usize]).collect();
        let shown = survivors(&cohort, &said);
        let mut confirmed = Vec::new();
        for (client, confirming, _) in clients {
            // A survivor has at least three others beside it.
            let fits = bits[client.0 as usize] && said.len() > 3;
            match confirming.confirm(&shown) {
                Ok((unmasking, confirmation)) => {
                    prop_assert!(fits);
                    confirmed.push((client, unmasking, confirmation.to_bytes()));
                }
                Err(_) => prop_assert!(!fits),
            }
        }
        let signed: Vec<_> = confirmed.iter().map(|(client, _, bytes)| (*client, bytes.clone())).collect();
        for (client, unmasking, _) in confirmed {
            let others = signed.iter().filter(|(other, _)| *other != client);
            let listed: Vec<u8> = others.flat_map(|(_, bytes)| bytes[1..].to_vec()).collect();
            let count = (signed.len() - 1) as u16;
            let bytes = [&[8][..], &count.to_le_bytes(), &listed].concat();
            let message = Confirmations::from_bytes(&cohort.round, &bytes).expect("confirmations");
            let reveal = unmasking.unmask(&message).expect("all signed the same").to_bytes();
            let owners: Vec<u32> = (0..6).filter(|&owner| owner != client.0).collect();
            prop_assert_eq!(reveal.len(), 7 + 37 * owners.len());
            for (owner, share) in owners.iter().zip(reveal[7..].chunks(37)) {
                prop_assert_eq!(&share[..4], &owner.to_le_bytes());
                prop_assert_eq!(share[4] == 0, bits[*owner as usize]);
            }
        }
    }
}
