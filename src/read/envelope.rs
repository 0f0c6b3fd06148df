//! Whether a document is ours at all. A stranger among the specs is told once, not key by key.

use super::findings::Findings;
use super::nearest::is_near;
use super::node::{Node, Value};
use super::problem::quoted;

const KIND: &str = "Instance";
/// How many letters of our kind may be wrong before it is a stranger's.
const TYPOS: usize = 2;

/// Whether to look further into a document. If not, why is told.
pub fn is_ours(root: &Node, findings: &mut Findings) -> bool {
    let Value::Map(entries) = &root.value else {
        let message = "the document is not a map, so it is not an instance of cloudypad";
        findings.add_with_hint(root.span, message, "it starts with `apiVersion: cloudypad.gg/v1alpha1`");
        return false;
    };
    if let Some((key, node)) = root.entry("kind")
        && let Some(kind) = node.text()
        && !is_near(kind, KIND, TYPOS)
    {
        let message = format!("{} is not a kind that cloudypad knows", quoted(kind));
        findings.add_with_hint(node.place(Some(key)), message, format!("the only kind is `{KIND}`"));
        return false;
    }
    let known = ["apiVersion", "kind", "metadata", "spec"];
    if !entries.iter().any(|(key, _)| known.contains(&key.text.as_str())) {
        let place = entries.first().map_or(root.span, |(key, _)| key.span);
        let message = "the document has none of `apiVersion`, `kind`, `metadata` and `spec`: it is not an instance of cloudypad";
        findings.add_with_hint(place, message, "it starts with `apiVersion: cloudypad.gg/v1alpha1`");
        return false;
    }
    true
}
