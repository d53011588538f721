//! What a channel of one-api or new-api authenticates with where that is no plain key, and the address that follows.

use types::Secret;

use crate::plan::{Auth, Fault, Plan, PlannedCredential};
use crate::tree::{Node, Tree, json};
use crate::vendor;

/// A credential, and the address that only it can be used at; `None`: the channel's own.
pub(crate) struct Held {
    pub(crate) address: Option<String>,
    pub(crate) credential: PlannedCredential,
}

/// What was found at one key: kind, secret, and the address that belongs to it.
type Found = Option<(Auth, String, Option<String>)>;

/// one-api's `config` and new-api's `settings`: JSON in a text.
pub(crate) struct Extra(Option<Tree>, Option<Tree>);

impl Extra {
    /// Of a channel.
    pub(crate) fn of(row: &Node<'_>) -> Self {
        let tree = |name: &str| row.text_of(name).and_then(|text| json(&text).ok());
        Self(tree("config"), tree("settings"))
    }

    fn text(&self, name: &str) -> Option<String> {
        let trees = [self.0.as_ref(), self.1.as_ref()];
        trees.into_iter().flatten().find_map(|tree| Node::root(tree).text_of(name))
    }

    /// Notes what they say and nobody here understands.
    pub(crate) fn leftover(&self, row: &Node<'_>, plan: &mut Plan) {
        const KNOWN: &[&str] = &[
            "region",
            "ak",
            "sk",
            "vertex_ai_project_id",
            "vertex_ai_adc",
            "vertex_key_type",
            "aws_key_type",
        ];
        for (tree, name) in [(self.0.as_ref(), "config"), (self.1.as_ref(), "settings")] {
            let Some(tree) = tree else { continue };
            Node { value: &tree.0, place: format!("{}.{name}", row.place) }.leftover(KNOWN, plan);
        }
    }
}

/// The keys of a channel, each with its place.
fn texts(row: &Node<'_>) -> Result<Option<(String, String)>, Fault> {
    let Some(node) = row.get("key").filter(|node| !node.is_empty()) else { return Ok(None) };
    let text = node.text().ok_or_else(|| node.expected("a text"))?;
    Ok(Some((node.place, text)))
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Plain keys, one in each line.
pub(crate) fn plain(row: &Node<'_>) -> Result<Vec<Held>, Fault> {
    let Some((place, text)) = texts(row)? else { return Ok(Vec::new()) };
    let found = lines(&text).into_iter().map(|text| Some((Auth::ApiKey, text, None))).collect();
    Ok(held(row, &place, found, |_| ()))
}

/// AWS keys: `id|secret|region`, or `key|region` for a Bedrock API key; or one-api's `config`.
pub(crate) fn aws(row: &Node<'_>, extra: &Extra, plan: &mut Plan) -> Result<Vec<Held>, Fault> {
    let of = |text: &str| {
        let parts: Vec<&str> = text.split('|').map(str::trim).collect();
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        match parts.as_slice() {
            [id, secret, region] => {
                Some((Auth::Aws, vendor::aws(id, secret, None, Some(region)), vendor::bedrock_home(region)))
            }
            [key, region] => Some((Auth::ApiKey, (*key).to_owned(), vendor::bedrock_home(region))),
            _ => None,
        }
    };
    let found = if let Some((place, text)) = texts(row)? {
        Some((place, lines(&text)))
    } else {
        let parts = ["ak", "sk", "region"].map(|name| extra.text(name));
        let whole = parts.into_iter().collect::<Option<Vec<_>>>();
        whole.map(|parts| (format!("{}.config", row.place), vec![parts.join("|")]))
    };
    let Some((place, texts)) = found else { return Ok(Vec::new()) };
    let found = texts.iter().map(|text| of(text)).collect();
    let refuse = |place| plan.note(place, "is no AWS key (id, secret and region with bars between)");
    Ok(held(row, &place, found, refuse))
}

/// Google's key files: one, a list of them, or one-api's `region|project|file`; or its `config`.
pub(crate) fn vertex(
    row: &Node<'_>,
    extra: &Extra,
    base_url: Option<&str>,
    plan: &mut Plan,
) -> Result<Vec<Held>, Fault> {
    let region = region(row, extra);
    let home = |file: &str, project: Option<String>, region: &str| {
        let project = project.or_else(|| vendor::project_of(file));
        vendor::vertex_home(base_url, project.as_deref(), region)
    };
    let (place, found): (String, Vec<Found>) = match texts(row)? {
        Some((place, text)) if extra.text("vertex_key_type").as_deref() == Some("api_key") => {
            let host = || vendor::vertex_home(base_url, None, &region);
            let keys = lines(&text).into_iter().map(|key| Some((Auth::ApiKey, key, Some(host()))));
            (place, keys.collect())
        }
        Some((place, text)) => {
            let mut parts = text.splitn(3, '|');
            let of_one = match (parts.next(), parts.next(), parts.next()) {
                (Some(region), Some(project), Some(file)) if file.trim_start().starts_with('{') => {
                    let region = region.trim().to_owned();
                    Some((region, Some(project.trim().to_owned()), file.trim().to_owned()))
                }
                _ => None,
            };
            let files = match of_one {
                Some(one) => vec![one],
                None => files(&text).into_iter().map(|file| (region.clone(), None, file)).collect(),
            };
            if files.is_empty() {
                plan.note(place, "is no key file of a service account");
                return Ok(Vec::new());
            }
            let found = files.into_iter().map(|(region, project, file)| {
                let home = home(&file, project, &region);
                Some((Auth::ServiceAccount, file, Some(home)))
            });
            (place, found.collect())
        }
        None => {
            let Some(file) = extra.text("vertex_ai_adc").filter(|file| file.starts_with('{')) else {
                return Ok(Vec::new());
            };
            let home = home(&file, extra.text("vertex_ai_project_id"), &region);
            (format!("{}.config", row.place), vec![Some((Auth::ServiceAccount, file, Some(home)))])
        }
    };
    Ok(held(row, &place, found, |_| ()))
}

/// The region stands alone, or as the default of a JSON object by models.
pub(crate) fn region(row: &Node<'_>, extra: &Extra) -> String {
    let other = row.text_of("other").unwrap_or_default();
    let by_default = json(&other).ok().and_then(|tree| Node::root(&tree).text_of("default"));
    let plain = Some(other).filter(|text| !text.is_empty() && !text.starts_with('{'));
    by_default.or(plain).or_else(|| extra.text("region")).unwrap_or_else(|| "global".to_owned())
}

fn files(text: &str) -> Vec<String> {
    match json(text) {
        Ok(tree) if tree.0.is_array() => Node::root(&tree)
            .items()
            .map(|item| item.text().unwrap_or_else(|| item.value.to_string()))
            .collect(),
        Ok(tree) if tree.0.is_object() => vec![tree.0.to_string()],
        _ => Vec::new(),
    }
}

/// What was found, with its place in the file and whether new-api has it switched on.
fn held(row: &Node<'_>, place: &str, found: Vec<Found>, mut refuse: impl FnMut(String)) -> Vec<Held> {
    let several = found.len() > 1;
    let states = row.get("channel_info").and_then(|info| info.get("multi_key_status_list"));
    let mut all = Vec::new();
    for (at, one) in found.into_iter().enumerate() {
        let place = if several { format!("{place}, key {}", at + 1) } else { place.to_owned() };
        let Some((auth, text, address)) = one else {
            refuse(place);
            continue;
        };
        let mut credential = PlannedCredential::new(place, auth, Secret::new(text));
        let state = states.as_ref().and_then(|states| states.number_of(&at.to_string()));
        credential.enabled = state.is_none_or(|state| state == 1);
        all.push(Held { address, credential });
    }
    all
}
