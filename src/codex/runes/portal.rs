//! A portal: a remote provider of models. It has no container; its key becomes a secret of the Vessel.

use url::Url;

use super::model::{self, DESCRIPTION, Model, Sample};
use crate::{
    diagnostic::{Diagnostic, Source},
    document::{
        Located, Table,
        reader::{Reader, like},
    },
    name::{RuneName, SecretName, unit_text::UnitText},
};

/// The provider whose models are named after those who make them.
pub(super) const OPENROUTER: &str = "openrouter";

/// A remote provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portal {
    /// Its family's name.
    pub family: &'static str,
    /// Its name, to be unique among stones and portals.
    pub name: Located<RuneName>,
    /// Where it is asked.
    pub base_url: String,
    /// The secret with its key.
    pub api_key_secret: Option<Located<SecretName>>,
    /// The models it may be asked for.
    pub models: Vec<Model>,
}

/// What sets a family of portals apart.
pub(super) struct PortalFamily {
    /// The provider where the rune names none.
    pub(super) default: &'static str,
    /// What else it may name.
    pub(super) others: &'static [&'static str],
    /// A right one, to show where a wrong one stands.
    pub(super) sample: &'static str,
    /// Where it is asked when the rune does not say.
    pub(super) base_url: &'static str,
}

impl PortalFamily {
    /// Reads a portal of this family, whose name is `family`.
    pub(super) fn read(
        &self,
        family: &'static str,
        source: &Source,
        table: &Table,
        errors: &mut Vec<Diagnostic>,
    ) -> Option<Portal> {
        let before = errors.len();
        let mut reader = Reader::new(table, format!("this {family} portal"), errors);
        let name = reader.parsed::<RuneName>("name");
        reader.require("name", &source.at(0..0), "it is how LychD knows it: `name = \"cloud\"`");
        reader.parsed::<UnitText>(like("description", DESCRIPTION));
        let base_url = self.base_url(&mut reader);
        let provider = self.provider(&mut reader);
        let api_key_secret = reader.parsed::<SecretName>(like("api_key_secret_name", r#""cloud_key""#));
        let id = if provider == OPENROUTER { "vendor/coder-7b" } else { "coder-7b" };
        let models = model::read(&mut reader, Sample { id, path: None });
        model::generation(&mut reader);
        reader.boolean(like("probe", "true"));
        for model in &models {
            surface(&provider, model, reader.errors());
        }
        reader.finish();
        if errors.len() > before {
            return None;
        }
        Some(Portal { family, name: name?, base_url: base_url?, api_key_secret, models })
    }

    /// The provider, in lower case as LychD reads it.
    fn provider(&self, reader: &mut Reader<'_, '_>) -> String {
        let example = format!("\"{}\"", self.sample);
        let Some(provider) = reader.string(like("provider_name", &example)) else {
            return self.default.to_owned();
        };
        let word = provider.value.trim().to_lowercase();
        let known: Vec<&str> = [self.default].iter().chain(self.others).copied().collect();
        if !known.contains(&word.as_str()) {
            let message =
                format!("`provider_name` in {}: `{}` is not a provider", reader.title(), word.escape_debug());
            reader.refuse("provider_name", message, format!("known: {}", known.join(", ")));
        }
        word
    }

    fn base_url(&self, reader: &mut Reader<'_, '_>) -> Option<String> {
        let default = self.base_url;
        let text = reader.string(like("base_url", &format!("\"{default}\"")));
        if reader.node("base_url").is_none() {
            return Some(default.to_owned());
        }
        let text = text?;
        let sound = Url::parse(text.value).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
        });
        if !sound {
            let message = format!(
                "`base_url` in {} must be an `http:` or `https:` address without a user",
                reader.title()
            );
            reader.refuse("base_url", message, format!("for example: `base_url = \"{default}\"`"));
            return None;
        }
        Some(text.value.to_owned())
    }
}

/// What LychD cannot ask a provider for.
fn surface(provider: &str, model: &Model, errors: &mut Vec<Diagnostic>) {
    let id = &model.id;
    if provider == OPENROUTER && !id.value.contains('/') {
        let message =
            format!("the model `{}` is not one of OpenRouter's, which are `provider/model`", id.value);
        let wrong = Diagnostic::new(message).at(id.place.clone(), "");
        errors.push(wrong.help(format!("for example: `id = \"vendor/{}\"`", id.value)));
    }
    if let Some(place) = &model.responses
        && matches!(provider, "google-gemini" | "litellm" | "ollama")
    {
        let message = format!("the provider `{provider}` has no surface `responses` in LychD");
        errors.push(
            Diagnostic::new(message)
                .at(place.clone(), "")
                .help("write `surface = \"chat\"`, or leave it out"),
        );
    }
}
