//! LiteLLM's `config.yaml`: deployments, which become providers by address, key and what they serve.
//!
//! LiteLLM lists one deployment for each model and key. Deployments with the same address and key are one provider
//! here; two keys share a provider only if they serve exactly the same models, so that no key serves more than before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use types::limits::LimitsInput;
use types::provider::CreateProvider;
use types::{Patch, Secret};

use crate::MAX_ENTRIES;
use crate::litellm_secret::{find, plain, project, secret, variable};
use crate::litellm_vendor::{Vendor, by_model, by_name};
use crate::plan::{Auth, Fault, Format, Plan, PlannedCredential, PlannedProvider};
use crate::tree::Node;
use crate::vendor;

const PARAMS: &[&str] = &[
    "model",
    "custom_llm_provider",
    "api_key",
    "api_base",
    "base_url",
    "api_version",
    "litellm_credential_name",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_region_name",
    "aws_bedrock_runtime_endpoint",
    "vertex_credentials",
    "vertex_ai_credentials",
    "vertex_project",
    "vertex_ai_project",
    "vertex_location",
    "vertex_ai_location",
    "tenant_id",
    "client_id",
    "client_secret",
    "rpm",
    "tpm",
    "weight",
    "order",
    "max_parallel_requests",
];

/// Everything of a deployment that decides which provider it becomes.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Home {
    vendor: &'static str,
    kind: &'static str,
    base_url: String,
    auth: Auth,
    secret: Option<String>,
}

#[derive(Default)]
struct Group {
    place: String,
    /// In the order of the file.
    models: Vec<String>,
    named: BTreeSet<String>,
    redirects: BTreeMap<String, String>,
    orders: BTreeSet<Option<i64>>,
    weights: BTreeSet<Option<i64>>,
    limits: BTreeSet<[Option<i64>; 3]>,
    deployments: usize,
}

/// Reads the whole file.
pub(crate) fn read(root: &Node<'_>) -> Result<Plan, Fault> {
    let mut plan = Plan::new(Format::LiteLlm);
    let list = root.get("model_list").ok_or_else(|| root.expected("`model_list`"))?;
    let shared = shared_credentials(root)?;
    let mut groups: Vec<(Home, Group)> = Vec::new();
    // Where the groups of a home stand: files of thousands of deployments are looked through once.
    let mut homes: HashMap<Home, Vec<usize>> = HashMap::new();
    for entry in list.list()? {
        let Some((home, name, upstream, params)) = deployment(&entry, &shared, &mut plan)? else { continue };
        let same = homes.entry(home.clone()).or_default();
        let fits = |group: &Group| group.redirects.get(&name).is_none_or(|known| *known == upstream);
        let at = same.iter().copied().find(|at| groups.get(*at).is_some_and(|(_, group)| fits(group)));
        let at = at.unwrap_or_else(|| {
            same.push(groups.len());
            groups.push((home, Group { place: entry.place.clone(), ..Group::default() }));
            groups.len() - 1
        });
        if groups.len() > MAX_ENTRIES {
            return Err(Fault::TooLarge("at most 5,000 entries"));
        }
        if let Some((_, group)) = groups.get_mut(at) {
            group.take(name, upstream, &params);
        }
    }
    root.leftover(&["model_list", "credential_list"], &mut plan);
    gather(groups, &mut plan);
    Ok(plan)
}

/// `credential_list`: values that deployments name instead of repeating them.
fn shared_credentials<'a>(root: &Node<'a>) -> Result<BTreeMap<String, Node<'a>>, Fault> {
    let mut shared = BTreeMap::new();
    if let Some(list) = root.get("credential_list") {
        for entry in list.list()? {
            if let (Some(name), Some(values)) =
                (entry.text_of("credential_name"), entry.get("credential_values"))
            {
                shared.insert(name, values);
            }
        }
    }
    Ok(shared)
}

impl Group {
    fn take(&mut self, name: String, upstream: String, params: &Node<'_>) {
        if upstream != name {
            self.redirects.insert(name.clone(), upstream);
        }
        if self.named.insert(name.clone()) {
            self.models.push(name);
        }
        self.orders.insert(params.number_of("order"));
        self.weights.insert(params.number_of("weight"));
        self.limits.insert(["rpm", "tpm", "max_parallel_requests"].map(|name| params.number_of(name)));
        self.deployments += 1;
    }
}

type Deployment<'a> = (Home, String, String, Node<'a>);

fn deployment<'a>(
    entry: &Node<'a>,
    shared: &BTreeMap<String, Node<'a>>,
    plan: &mut Plan,
) -> Result<Option<Deployment<'a>>, Fault> {
    let entry_object = entry.object()?;
    let params = entry_object.get("litellm_params").ok_or_else(|| entry.expected("`litellm_params`"))?;
    let params = params.object()?.clone();
    let model = params.get("model").ok_or_else(|| params.expected("`model`"))?;
    let model = model.text().ok_or_else(|| model.expected("a text"))?;
    let Some((vendor, upstream)) = vendor_of(&model, &params) else {
        plan.note(format!("{}.model", params.place), "names a vendor that Tollgate does not know");
        return Ok(None);
    };
    let named = params.text_of("litellm_credential_name");
    let values = named.as_ref().and_then(|name| shared.get(name)).cloned();
    if named.is_some() && values.is_none() {
        plan.note(format!("{}.litellm_credential_name", params.place), "names nothing in `credential_list`");
    }
    let sources: Vec<&Node<'_>> = std::iter::once(&params).chain(values.as_ref()).collect();
    let Some(base_url) = address(&sources, vendor, plan) else { return Ok(None) };
    let kind = match vendor.kind {
        "openai" if !base_url.contains("://api.openai.com") => "openai-compatible",
        kind => kind,
    };
    let (auth, secret) = secret(&sources, vendor, plan);
    let name = entry.text_of("model_name").unwrap_or_else(|| upstream.clone());
    // LiteLLM's own words for the way to ask.
    let bare = |text: String| {
        ["invoke/", "converse/"].iter().find_map(|word| text.strip_prefix(word)).unwrap_or(&text).to_owned()
    };
    let upstream = if vendor.kind == "bedrock" { bare(upstream) } else { upstream };
    let wild = name.contains('*') || upstream.contains('*');
    if wild && name != upstream && name != "*" {
        plan.note(
            &entry.place,
            "strips a prefix off the names that its pattern matches, which no redirect can say",
        );
        return Ok(None);
    }
    let upstream = if wild { name.clone() } else { upstream };
    params.leftover(PARAMS, plan);
    entry.leftover(&["model_name", "litellm_params", "model_info"], plan);
    Ok(Some((Home { vendor: vendor.name, kind, base_url, auth, secret }, name, upstream, params)))
}

/// The vendor, and the name that it is sent.
fn vendor_of(model: &str, params: &Node<'_>) -> Option<(Vendor, String)> {
    if let Some(name) = params.text_of("custom_llm_provider") {
        let bare = model.strip_prefix(&format!("{name}/")).unwrap_or(model);
        return by_name(&name).map(|vendor| (vendor, bare.to_owned()));
    }
    if let Some((vendor, rest)) = model.split_once('/').and_then(|(name, rest)| Some((by_name(name)?, rest)))
    {
        return Some((vendor, rest.to_owned()));
    }
    by_model(model).map(|vendor| (vendor, model.to_owned()))
}

fn address(sources: &[&Node<'_>], of: Vendor, plan: &mut Plan) -> Option<String> {
    let place = sources.first().map(|source| source.place.clone()).unwrap_or_default();
    let region = |names: &[&str]| find(sources, names).and_then(|node| node.text());
    let named = ["api_base", "base_url", "aws_bedrock_runtime_endpoint"];
    let vertex = |base_url: Option<&str>| {
        let (region, project) = (region(&["vertex_location", "vertex_ai_location"]), project(sources));
        let region = region.filter(|text| variable(text).is_none());
        // What LiteLLM takes where none is named; without a project it is express mode, which has no regions.
        let usual = if project.is_some() { "us-central1" } else { "global" };
        vendor::vertex_home(base_url, project.as_deref(), region.as_deref().unwrap_or(usual))
    };
    match find(sources, &named).and_then(|node| Some((node.text()?, node.place))) {
        Some((text, place)) => match variable(&text) {
            Some(name) => {
                plan.note(place, format!("the address is in the environment variable {}", plain(name)));
                None
            }
            None if of.kind == "vertex" => Some(vertex(Some(&text))),
            None => Some(text.trim_end_matches('/').to_owned()),
        },
        None if of.kind == "bedrock" => {
            let region = region(&["aws_region_name"]).filter(|text| variable(text).is_none());
            if region.is_none() {
                plan.note(&place, "names no `aws_region_name`");
            }
            region.and_then(|region| vendor::bedrock_home(&region))
        }
        None if of.kind == "vertex" => Some(vertex(None)),
        None if of.base_url.is_empty() => {
            plan.note(place, "names no `api_base`, and its vendor has no address of its own");
            None
        }
        None => Some(of.base_url.to_owned()),
    }
}

/// Providers out of groups: those that serve the same in the same way share one.
fn gather(groups: Vec<(Home, Group)>, plan: &mut Plan) {
    for (home, group) in groups {
        let (place, credential) = (group.place.clone(), credential(&home, &group, plan));
        let mut input = CreateProvider::new(home.vendor, home.kind, &home.base_url);
        input.models.clone_from(&group.models);
        input.models.retain(|model| model != "*" || group.models.len() > 1);
        input.model_redirects = group.redirects;
        if group.orders.len() == 1 {
            let order = group.orders.into_iter().next().flatten();
            input.priority = order.and_then(|order| i32::try_from(order.clamp(-1_000, 1_000)).ok());
        } else {
            plan.note(
                &place,
                "its deployments have different values of `order`, but one provider has one priority",
            );
        }
        let same = plan.providers.iter_mut().find(|known| {
            let (a, b) = (&known.input, &input);
            (&a.kind, &a.base_url, &a.models, &a.model_redirects, a.priority)
                == (&b.kind, &b.base_url, &b.models, &b.model_redirects, b.priority)
        });
        if let Some(known) = same {
            known.credentials.extend(credential);
        } else {
            let credentials = credential.into_iter().collect();
            plan.providers.push(PlannedProvider { place, input, credentials });
        }
    }
}

fn credential(home: &Home, group: &Group, plan: &mut Plan) -> Option<PlannedCredential> {
    let secret = Secret::new(home.secret.clone()?);
    let mut credential = PlannedCredential::new(group.place.clone(), home.auth, secret);
    let same = |values: &BTreeSet<Option<i64>>| match values.len() {
        1 => Some(values.iter().next().copied().flatten()),
        _ => None,
    };
    match same(&group.weights) {
        Some(weight) => credential.weight = weight.and_then(|n| u32::try_from(n.clamp(1, 100)).ok()),
        None => plan.note(&group.place, "its deployments have different weights, but one key has one weight"),
    }
    let limited = group.limits.iter().any(|limits| limits.iter().any(Option::is_some));
    match group.limits.iter().next() {
        // A limit there counts for one model with one key: only with one deployment is it the key's.
        Some([rpm, tpm, at_once]) if group.deployments == 1 => {
            let count = |number: &Option<i64>| {
                number.and_then(|number| u64::try_from(number).ok()).map_or(Patch::Keep, Patch::Set)
            };
            credential.limits =
                LimitsInput { rpm_limit: count(rpm), tpm_limit: count(tpm), ..LimitsInput::default() };
            credential.max_concurrency = at_once.and_then(|number| u32::try_from(number).ok());
        }
        _ if limited => {
            plan.note(&group.place, "its limits count for each model by itself, which a key cannot");
        }
        _ => {}
    }
    Some(credential)
}
