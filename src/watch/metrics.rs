//! Numbers, in the text format that Prometheus reads.

use super::{
    counts::{BOUNDS, Histogram},
    hub::Hub,
};
use std::fmt::{Display, Write};

/// Everything that is counted, now.
pub(super) fn text(hub: &Hub) -> String {
    let tally = hub.tally();
    let counts = &tally.counts;
    let mut text = Metrics::default();
    text.family("cloudypad_build_info", "gauge", "Which version this is.");
    text.sample("cloudypad_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.family("cloudypad_start_time_seconds", "gauge", "Since when it watches, in seconds since 1970.");
    text.sample("cloudypad_start_time_seconds", &[], hub.since.as_second());
    text.family("cloudypad_instances", "gauge", "Instances by where they stand.");
    for (standing, count) in &tally.standing {
        text.sample("cloudypad_instances", &[("standing", standing)], count);
    }
    text.family("cloudypad_verdicts", "gauge", "Instances by how they do.");
    for (verdict, count) in &tally.verdicts {
        text.sample("cloudypad_verdicts", &[("verdict", verdict)], count);
    }
    text.family("cloudypad_held", "gauge", "Instances that need their owner, with the reason's code.");
    for (key, code) in &tally.held {
        text.sample("cloudypad_held", &[("namespace", &key.namespace), ("name", &key.name), ("code", code)], 1);
    }
    text.family("cloudypad_runs_under_way", "gauge", "Runs that have not ended.");
    text.sample("cloudypad_runs_under_way", &[], tally.underway);
    text.family("cloudypad_reconciles_total", "counter", "Ended runs by how they ended.");
    for result in ["done", "held", "interrupted", "failed"] {
        text.sample("cloudypad_reconciles_total", &[("result", result)], counts.reconciles.get(result).copied().unwrap_or_default());
    }
    text.family("cloudypad_reconcile_seconds", "histogram", "How long runs took that changed something.");
    text.histogram("cloudypad_reconcile_seconds", &[], &counts.reconcile);
    text.family("cloudypad_phase_seconds", "histogram", "How long calls took by what they do, and waits for what they brought.");
    for (phase, histogram) in &counts.phases {
        text.histogram("cloudypad_phase_seconds", &[("phase", phase)], histogram);
    }
    text.family("cloudypad_time_to_playable_seconds", "histogram", "From the begin of a run until somebody could play.");
    text.histogram("cloudypad_time_to_playable_seconds", &[], &counts.playable);
    text.family("cloudypad_failed_calls_total", "counter", "Calls that failed, after which the run went on.");
    text.sample("cloudypad_failed_calls_total", &[], counts.failures);
    text.family("cloudypad_drift_total", "counter", "How often an instance was found changed by somebody else.");
    text.sample("cloudypad_drift_total", &[], counts.drift);
    text.family("cloudypad_api_calls_total", "counter", "Calls of a vendor's API.");
    for (vendor, calls) in &counts.calls {
        text.sample("cloudypad_api_calls_total", &[("vendor", vendor)], calls.made);
    }
    text.family("cloudypad_api_throttled_total", "counter", "Calls that a vendor turned away for being too many.");
    for (vendor, calls) in &counts.calls {
        text.sample("cloudypad_api_throttled_total", &[("vendor", vendor)], calls.throttled);
    }
    text.family("cloudypad_source_reads_total", "counter", "Readings of the specs.");
    text.sample("cloudypad_source_reads_total", &[], counts.readings);
    text.family("cloudypad_source_failures_total", "counter", "Readings of the specs that failed, as a whole or in part.");
    text.sample("cloudypad_source_failures_total", &[], counts.unread);
    text.family("cloudypad_kept_bytes", "gauge", "Bytes of what is kept for the page.");
    text.sample("cloudypad_kept_bytes", &[], tally.weight);
    text.0
}

#[derive(Default)]
struct Metrics(String);

impl Metrics {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{}\"", if index == 0 { '{' } else { ',' }, escaped(text));
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], it: &Histogram) {
        let mut so_far = 0;
        for (bound, count) in BOUNDS.iter().zip(it.buckets) {
            so_far += count;
            self.sample(&format!("{name}_bucket"), &[labels, &[("le", &bound.to_string())]].concat(), so_far);
        }
        self.sample(&format!("{name}_bucket"), &[labels, &[("le", "+Inf")]].concat(), it.count);
        self.sample(&format!("{name}_sum"), labels, it.sum);
        self.sample(&format!("{name}_count"), labels, it.count);
    }
}

/// A label's value: a name that somebody chose stays within its quotes, and on its line.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
