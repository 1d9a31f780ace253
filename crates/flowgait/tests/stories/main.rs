//! What people do with flowgait, one story a module, on the real binary.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a story that cannot go on fails, and says what it saw or skipped"
)]

mod backing;
mod bucket;
mod service;
mod support;
mod wire;

mod a_caller_is_told_what_to_mend;
mod a_client_sends_it_again;
mod a_clock_is_set_back;
mod a_closed_pipe_and_a_full_disk_are_told_apart;
mod a_data_scientist_keeps_their_table;
mod a_model_is_promoted_under_load;
mod a_newcomer_reads_the_help;
mod a_newcomer_runs_the_demo;
mod a_process_dies_at_any_moment;
mod a_program_reads_the_description;
mod a_researcher_holds_it_against_ndpi;
mod a_run_is_kept_in_its_folder;
mod an_analyst_asks_why;
mod an_analyst_classifies_a_capture;
mod an_analyst_joins_answers_to_flows;
mod an_engineer_meters_captures;
mod an_operator_ends_a_service;
mod an_operator_keeps_models_under_names;
mod an_operator_loses_a_worker;
mod an_operator_sees_traffic_drift;
mod bad_input_is_told_plainly;
mod everything_lies_in_a_bucket;
mod much_is_asked_of_a_service;
mod names_lead_nowhere;
mod sites_learn_together;
mod somebody_deploys_it;
mod somebody_looks_at_all_rows;
mod somebody_opens_the_page;
mod somebody_sends_what_breaks;
mod somebody_trains_through_the_api;
mod somebody_watches_what_changes;
mod strangers_ask_a_service;
mod the_line_is_encrypted;
