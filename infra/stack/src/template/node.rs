//! A place in the template: a value that knows its path, so that every complaint names it.
//!
//! Resolves `!Ref` and `!Sub` to a parameter's default or a resource's name, `!If` to the branch that the defaults choose, and
//! `!GetAtt` to the resource that it points at. Never evaluates mappings or other functions: a value that the local stack needs
//! must be plain.

use std::fmt::Display;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Map, Value};

/// A value of the template and the path to it.
#[derive(Clone)]
pub(super) struct Node<'a> {
    root: &'a Value,
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub(super) fn root(root: &'a Value) -> Node<'a> {
        Node { root, value: root, path: String::new() }
    }

    fn at(&self, value: &'a Value, path: String) -> Node<'a> {
        Node { root: self.root, value, path }
    }

    /// A complaint about this place.
    pub(super) fn complaint(&self, what: impl Display) -> String {
        format!("template.yaml: {} {what}", self.path)
    }

    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// The member `key`.
    ///
    /// # Errors
    /// When it is absent: the message names the whole path.
    pub(super) fn get(&self, key: &str) -> Result<Node<'a>> {
        self.find(key).ok_or_else(|| anyhow!("template.yaml: {} is missing", self.path_of(key)))
    }

    pub(super) fn find(&self, key: &str) -> Option<Node<'a>> {
        Some(self.at(self.value.get(key)?, self.path_of(key)))
    }

    /// The member at the end of `keys`, absent if one on the way is.
    pub(super) fn find_in(&self, keys: &[&str]) -> Option<Node<'a>> {
        keys.iter().try_fold(self.clone(), |node, key| node.find(key))
    }

    pub(super) fn members(&self) -> Result<Vec<(&'a str, Node<'a>)>> {
        let members = self.value.as_object().with_context(|| self.complaint("must be a mapping"))?;
        Ok(members.iter().map(|(key, value)| (key.as_str(), self.at(value, self.path_of(key)))).collect())
    }

    pub(super) fn items(&self) -> Result<Vec<Node<'a>>> {
        let items = self.value.as_array().with_context(|| self.complaint("must be a list"))?;
        Ok(items.iter().enumerate().map(|(at, value)| self.at(value, format!("{}[{at}]", self.path))).collect())
    }

    /// The branch that an `!If` takes with the parameters' defaults, or the value itself; `None` for `AWS::NoValue`.
    ///
    /// # Errors
    /// When the condition is made of more than `!Equals` and `!Not`.
    pub(super) fn chosen(&self) -> Result<Option<Node<'a>>> {
        let Some(choice) = self.find("Fn::If") else { return Ok(Some(self.clone())) };
        let branches = choice.items()?;
        let [condition, then, otherwise] = branches.as_slice() else {
            bail!(choice.complaint("must have three parts"));
        };
        let condition = Node::root(self.root).get("Conditions")?.get(&condition.text()?)?;
        let branch = if condition.holds()? { then } else { otherwise };
        Ok((branch.value["Ref"] != "AWS::NoValue").then(|| branch.clone()))
    }

    fn holds(&self) -> Result<bool> {
        let parts = |function: &str| self.find(function).map(|node| node.items()).transpose();
        if let Some([one, other]) = parts("Fn::Equals")?.as_deref() {
            return Ok(one.text()? == other.text()?);
        }
        if let Some([inner]) = parts("Fn::Not")?.as_deref() {
            return Ok(!inner.holds()?);
        }
        bail!(self.complaint("must be made of !Equals and !Not: the local stack evaluates nothing else"))
    }

    /// The value as text; `!Ref` gives the parameter's default or the resource's logical name.
    pub(super) fn text(&self) -> Result<String> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(yes) => Ok(yes.to_string()),
            Value::Object(_) => self.reference(),
            _ => bail!(self.complaint("must be a text")),
        }
    }

    pub(super) fn whole_number(&self) -> Result<u32> {
        let text = self.text()?;
        text.parse().with_context(|| self.complaint(format!("must be a whole number, not `{text}`")))
    }

    /// The logical name of the resource that this `!GetAtt` or `!Ref` points at.
    pub(super) fn target(&self) -> Result<&'a str> {
        let name = match (self.value.get("Fn::GetAtt"), self.value.get("Ref")) {
            (Some(Value::String(dotted)), _) => dotted.split('.').next(),
            (Some(Value::Array(parts)), _) => parts.first().and_then(Value::as_str),
            (None, Some(Value::String(name))) => Some(name.as_str()),
            _ => None,
        };
        let known = name.filter(|name| self.root["Resources"].get(name).is_some());
        known.with_context(|| self.complaint("must point at a resource of this template"))
    }

    fn reference(&self) -> Result<String> {
        if let Some(text) = self.value.get("Fn::Sub").and_then(Value::as_str) {
            let mut parts = text.split("${");
            let mut whole = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let (name, rest) = part.split_once('}').with_context(|| self.complaint("ends early"))?;
                // An attribute of a resource stands for the resource.
                whole += &self.named(name.split('.').next().unwrap_or_default())?;
                whole += rest;
            }
            return Ok(whole);
        }
        let name = self.value.get("Ref").and_then(Value::as_str);
        let unknown = "must be plain, a !Ref or a !Sub: the local stack evaluates nothing else";
        self.named(name.with_context(|| self.complaint(unknown))?)
    }

    /// A parameter's default, or a resource's logical name.
    fn named(&self, name: &str) -> Result<String> {
        if self.root["Resources"].get(name).is_some() {
            return Ok(name.to_owned());
        }
        let parameter = Node::root(self.root).get("Parameters")?.get(name)?;
        parameter.get("Default")?.text()
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// YAML with CloudFormation's short tags as JSON in the long form: `!Ref X` becomes `{"Ref": "X"}`,
/// `!GetAtt X.Arn` becomes `{"Fn::GetAtt": "X.Arn"}`.
pub(super) fn long_form(yaml: serde_norway::Value) -> Result<Value> {
    use serde_norway::Value as Yaml;
    Ok(match yaml {
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = match tag.trim_start_matches('!') {
                plain @ ("Ref" | "Condition") => plain.to_owned(),
                function => format!("Fn::{function}"),
            };
            Value::Object(Map::from_iter([(name, long_form(tagged.value)?)]))
        }
        Yaml::Mapping(members) => {
            let mut object = Map::new();
            for (key, value) in members {
                let key = key.as_str().context("template.yaml: a key that is no text")?.to_owned();
                object.insert(key, long_form(value)?);
            }
            Value::Object(object)
        }
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(long_form).collect::<Result<_>>()?),
        plain => serde_json::to_value(plain).context("template.yaml: a value that JSON cannot hold")?,
    })
}
