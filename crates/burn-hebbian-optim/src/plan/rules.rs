//! Where a layer's rule comes from; rules of the user's by name.

use std::{collections::BTreeMap, fmt, sync::Arc};

use burn_hebbian_core::{LocalRule, Rule};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error};
use serde_json::{Map, Value};

use crate::PlanError;

/// Where a layer's rule comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum RuleChoice {
    /// The rule the layer carries.
    #[default]
    OfTheLayer,
    /// From states that are handed to the layer.
    GivenStates,
    Rule(Box<Rule>),
    Custom(CustomRule),
    /// One that was read, and not yet looked up.
    Named(Named),
}

/// A rule of the user's, with the name and fields by which it is written down, if it has any.
#[derive(Debug, Clone)]
pub(crate) struct CustomRule {
    rule: Arc<dyn LocalRule>,
    named: Option<Named>,
}

/// What is written down of a rule of the user's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    #[serde(rename = "custom")]
    name: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

impl Named {
    /// Why a layer cannot learn by it.
    pub(crate) fn unread(&self) -> PlanError {
        PlanError::RuleName { name: self.name.clone(), known: String::new() }
    }
}

impl CustomRule {
    pub(super) fn described(rule: Arc<dyn LocalRule>) -> Self {
        Self { rule, named: None }
    }

    pub(super) fn named(name: String, rule: impl LocalRule + Serialize + 'static) -> Result<Self, PlanError> {
        let fields = match serde_json::to_value(&rule) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(Value::Null) => Ok(Map::new()),
            Ok(other) => Err(format!("a rule has to be serialized as fields, not as {other}")),
            Err(error) => Err(error.to_string()),
        };
        let fields = fields.map_err(|reason| PlanError::RuleFields { name: name.clone(), reason })?;
        Ok(Self { rule: Arc::new(rule), named: Some(Named { name, fields }) })
    }

    pub(crate) fn rule(&self) -> &Arc<dyn LocalRule> {
        &self.rule
    }
}

impl PartialEq for CustomRule {
    fn eq(&self, other: &Self) -> bool {
        self.named == other.named && describe(&*self.rule) == describe(&*other.rule)
    }
}

/// A rule for a person to read, and to tell it from another.
pub(crate) fn describe(rule: &dyn LocalRule) -> String {
    format!("{rule:?}")
}

impl RuleChoice {
    pub(super) fn is_of_the_layer(&self) -> bool {
        matches!(self, Self::OfTheLayer)
    }
}

impl Serialize for RuleChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::OfTheLayer => serializer.serialize_str("of_the_layer"),
            Self::GivenStates => serializer.serialize_str("given_states"),
            Self::Rule(rule) => rule.serialize(serializer),
            Self::Custom(CustomRule { named: Some(named), .. }) | Self::Named(named) => {
                named.serialize(serializer)
            }
            Self::Custom(CustomRule { rule, named: None }) => {
                Named { name: describe(&**rule), fields: Map::new() }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for RuleChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value == "of_the_layer" {
            return Ok(Self::OfTheLayer);
        }
        if value == "given_states" {
            return Ok(Self::GivenStates);
        }
        if value.get("custom").is_some() {
            return serde_json::from_value(value).map(Self::Named).map_err(D::Error::custom);
        }
        serde_json::from_value(value).map(|rule| Self::Rule(Box::new(rule))).map_err(D::Error::custom)
    }
}

type Read = Arc<dyn Fn(Map<String, Value>) -> Result<Arc<dyn LocalRule>, String> + Send + Sync>;

/// Rules of your own by the names that plans give them.
///
/// ```
/// use burn_hebbian_core::{Activity, Factors, LocalRule};
/// use burn_hebbian_optim::{LocalTraining, Plan, RuleNames};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Damped {
///     damping: f64,
/// }
///
/// impl LocalRule for Damped {
///     fn factors(&self, activity: &Activity) -> Factors {
///         Factors::new(activity.dot().mul_scalar(1.0 - self.damping))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let plan = Plan::new().local("conv1", LocalTraining::named("damped", Damped { damping: 0.1 })?);
/// let json = serde_json::to_string(&plan)?;
/// let names = RuleNames::new().with::<Damped>("damped");
/// assert_eq!(serde_json::from_str::<Plan>(&json)?.with_rules(&names)?, plan);
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct RuleNames(BTreeMap<String, Read>);

impl RuleNames {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With rules of this type, which plans call `name`.
    pub fn with<R: LocalRule + DeserializeOwned + 'static>(mut self, name: impl Into<String>) -> Self {
        let read: Read = Arc::new(|fields| {
            let value = Value::Object(fields.clone());
            // a rule without fields may be a unit
            let rule = serde_json::from_value::<R>(value).or_else(|error| {
                if fields.is_empty() { serde_json::from_value(Value::Null) } else { Err(error) }
            });
            rule.map(|rule| Arc::new(rule) as Arc<dyn LocalRule>).map_err(|error| error.to_string())
        });
        self.0.insert(name.into(), read);
        self
    }

    /// The rule behind what was read.
    pub(super) fn look_up(&self, named: Named) -> Result<CustomRule, PlanError> {
        Ok(CustomRule { rule: self.rule(&named)?, named: Some(named) })
    }

    fn rule(&self, named: &Named) -> Result<Arc<dyn LocalRule>, PlanError> {
        let Named { name, fields } = named;
        let Some(read) = self.0.get(name) else {
            let known = self.0.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(PlanError::RuleName { name: name.clone(), known });
        };
        read(fields.clone()).map_err(|reason| PlanError::RuleFields { name: name.clone(), reason })
    }
}

impl fmt::Debug for RuleNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
