//! What the values under a label must look like: a JSON Schema and units, checked when a datapoint is submitted.
//!
//! A schema is data of a stranger that is run on every submission, so it is kept small and harmless: references stay inside it
//! and form no circle, what they unfold to is bounded, and regular expressions take linear time. Nothing is ever fetched.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holotype_catalog::Tx;
use holotype_core::{Caller, Instant, ProjectId, Role, UserId};
use jsonschema::{PatternOptions, Validator};
use serde_json::{Value, json};

use crate::fault::{Faults, FieldError, Step};
use crate::model::{Content, Submission};
use crate::table::{self, SchemaRow};
use crate::{DatapointError, Datapoints, Inner, unfold, unit};

/// The longest schema, in bytes of JSON.
const LONGEST_SCHEMA: usize = 256 * 1024;

/// The longest label that a schema may be for, in bytes.
const LONGEST_LABEL: usize = 512;

/// The size of a compiled regular expression, in bytes.
const PATTERN_BYTES: usize = 1024 * 1024;

/// The faults that are looked for in one value.
const MOST_FAULTS: usize = 20;

/// How soon a schema that another process sets is seen. One that this process sets is seen at once.
const FRESH: Duration = Duration::from_secs(1);

/// What the values under a label must look like.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelSchema {
    /// The label it holds for.
    pub label: String,
    /// A JSON Schema for `value`. Its `unit` keywords name the units of fields.
    pub schema: Value,
    /// The unit of the value as a whole, if it has one.
    pub unit: Option<String>,
    /// When it was last set.
    pub updated_at: Instant,
    /// Who set it.
    pub agent: UserId,
}

/// The schemas of a project, ready to check values.
#[derive(Debug)]
pub(crate) struct ProjectSchemas {
    read_at: Instant,
    by_label: HashMap<String, Ready>,
}

/// One schema, ready.
#[derive(Debug, Clone)]
struct Ready {
    text: String,
    unit: Option<String>,
    validator: Arc<Validator>,
}

/// The schemas of the projects that were asked for lately.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<HashMap<ProjectId, Arc<ProjectSchemas>>>);

impl Datapoints {
    /// The schemas of the project, by label.
    ///
    /// # Errors
    /// If the caller may not read the project.
    pub async fn label_schemas(&self, caller: &Caller, project: ProjectId) -> Result<Vec<LabelSchema>, DatapointError> {
        self.require(caller, project, Role::Viewer).await?;
        let rows = self.inner.schema_rows(project).await?;
        rows.into_iter().map(LabelSchema::try_from).collect()
    }

    /// The schema of one label.
    ///
    /// # Errors
    /// As [`label_schemas`](Self::label_schemas), and [`DatapointError::NoSchema`].
    pub async fn label_schema(
        &self,
        caller: &Caller,
        project: ProjectId,
        label: &str,
    ) -> Result<LabelSchema, DatapointError> {
        let found = self.label_schemas(caller, project).await?.into_iter().find(|schema| schema.label == label);
        found.ok_or_else(|| DatapointError::NoSchema { label: label.to_owned() })
    }

    /// Sets the schema and the unit of a label. Values stored before are not looked at again.
    ///
    /// # Errors
    /// If the caller may not write to the project, the schema cannot be used, or the unit is not known.
    pub async fn put_label_schema(
        &self,
        caller: &Caller,
        project: ProjectId,
        label: &str,
        schema: Value,
        unit: Option<String>,
    ) -> Result<LabelSchema, DatapointError> {
        self.require(caller, project, Role::Editor).await?;
        check_label(label)?;
        if let Some(unit) = unit.as_deref().filter(|unit| !unit::is_known(unit)) {
            return Err(unknown_unit(unit));
        }
        let text = schema.to_string();
        let schema = tokio::task::spawn_blocking(move || compile(&schema).map(|_| schema)).await??;
        let updated_at = self.inner.catalog.clock().now();
        let row =
            SchemaRow { label: label.to_owned(), schema: text, unit: unit.clone(), agent: caller.user, updated_at };
        let change = Change { caller: caller.clone(), project, label: label.to_owned(), row: Some(row) };
        self.change_schema(change).await?;
        Ok(LabelSchema { label: label.to_owned(), schema, unit, updated_at, agent: caller.user })
    }

    /// Removes the schema of a label.
    ///
    /// # Errors
    /// If the caller may not write to the project, or [`DatapointError::NoSchema`].
    pub async fn delete_label_schema(
        &self,
        caller: &Caller,
        project: ProjectId,
        label: &str,
    ) -> Result<(), DatapointError> {
        self.require(caller, project, Role::Editor).await?;
        check_label(label)?;
        let change = Change { caller: caller.clone(), project, label: label.to_owned(), row: None };
        self.change_schema(change).await
    }

    async fn change_schema(&self, change: Change) -> Result<(), DatapointError> {
        let (change, inner) = (Arc::new(change), Arc::clone(&self.inner));
        self.inner
            .catalog
            .write(move |tx| {
                let (change, inner) = (Arc::clone(&change), Arc::clone(&inner));
                let project = change.project;
                tx.after_commit(Box::new(move || inner.schema_cache.forget(project)));
                Box::pin(async move { change.apply(tx).await })
            })
            .await
    }
}

/// A schema that is set or removed, and by whom.
struct Change {
    caller: Caller,
    project: ProjectId,
    label: String,
    row: Option<SchemaRow>,
}

impl Change {
    async fn apply(&self, tx: &mut Tx) -> Result<(), DatapointError> {
        let action = match &self.row {
            Some(row) => {
                table::put_schema(tx, self.project, row).await?;
                "datapoint-schema.put"
            }
            None if table::delete_schema(tx, self.project, &self.label).await? => "datapoint-schema.delete",
            None => return Err(DatapointError::NoSchema { label: self.label.clone() }),
        };
        tx.audit(&self.caller, action, &self.label, json!({ "project": self.project })).await?;
        Ok(())
    }
}

impl Inner {
    /// The schemas of a project, at most a second old.
    pub(crate) async fn schemas(&self, project: ProjectId) -> Result<Arc<ProjectSchemas>, DatapointError> {
        let now = self.catalog.clock().now();
        let known = self.schema_cache.get(project);
        if let Some(known) = &known
            && (known.read_at..known.read_at.after(FRESH)).contains(&now)
        {
            return Ok(Arc::clone(known));
        }
        let rows = self.schema_rows(project).await?;
        let fresh = if rows.is_empty() {
            ProjectSchemas { read_at: now, by_label: HashMap::new() }
        } else {
            tokio::task::spawn_blocking(move || ProjectSchemas::compile(rows, known.as_deref(), now)).await??
        };
        let fresh = Arc::new(fresh);
        self.schema_cache.put(project, Arc::clone(&fresh));
        Ok(fresh)
    }

    async fn schema_rows(&self, project: ProjectId) -> Result<Vec<SchemaRow>, DatapointError> {
        self.catalog
            .read(move |tx| Box::pin(async move { table::schemas(tx, project).await.map_err(DatapointError::from) }))
            .await
    }
}

impl Cache {
    fn get(&self, project: ProjectId) -> Option<Arc<ProjectSchemas>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&project).cloned()
    }

    fn put(&self, project: ProjectId, schemas: Arc<ProjectSchemas>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(project, schemas);
    }

    fn forget(&self, project: ProjectId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&project);
    }
}

impl ProjectSchemas {
    /// Makes rows ready, taking over from `known` what has not changed.
    fn compile(rows: Vec<SchemaRow>, known: Option<&Self>, now: Instant) -> Result<Self, DatapointError> {
        let mut by_label = HashMap::with_capacity(rows.len());
        for row in rows {
            let same = known.and_then(|known| known.by_label.get(&row.label)).filter(|ready| ready.text == row.schema);
            let validator = match same {
                Some(ready) => Arc::clone(&ready.validator),
                None => Arc::new(compile(&stored(&row)?)?),
            };
            by_label.insert(row.label, Ready { text: row.schema, unit: row.unit, validator });
        }
        Ok(Self { read_at: now, by_label })
    }

    /// Whether no label has a schema.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_label.is_empty()
    }

    /// The unit of the values under a label.
    pub(crate) fn unit(&self, label: &str) -> Option<&str> {
        self.by_label.get(label)?.unit.as_deref()
    }

    /// Checks the value of a submission against its label's schema, if it has one.
    pub(crate) fn check(&self, submission: &Submission) -> Result<(), DatapointError> {
        let (Some(label), Content::Json { value }) = (&submission.label, &submission.content) else { return Ok(()) };
        let Some(ready) = self.by_label.get(label) else { return Ok(()) };
        if ready.validator.is_valid(value) {
            return Ok(());
        }
        let mut faults = Faults::default();
        for error in ready.validator.iter_errors(value).take(MOST_FAULTS) {
            let mut loc = vec![Step::from("value")];
            loc.extend(error.instance_path().iter().map(|segment| match segment {
                jsonschema::paths::LocationSegment::Property(name) => Step::Member(name.into_owned()),
                jsonschema::paths::LocationSegment::Index(index) => Step::Index(index),
            }));
            let msg = format!("the schema of label '{label}': {}", error.masked()).into();
            faults.push(FieldError { kind: "json_schema".into(), loc, msg, input: Value::Null, ctx: None });
        }
        Err(DatapointError::Invalid { errors: faults.into_vec() })
    }
}

/// A submission whose value is as its label's schema says. A large value is looked at off the runtime's own threads.
pub(crate) async fn checked(
    schemas: Arc<ProjectSchemas>,
    submission: Submission,
) -> Result<Submission, DatapointError> {
    if schemas.is_empty() {
        return Ok(submission);
    }
    tokio::task::spawn_blocking(move || schemas.check(&submission).map(|()| submission)).await?
}

impl TryFrom<SchemaRow> for LabelSchema {
    type Error = DatapointError;

    fn try_from(row: SchemaRow) -> Result<Self, DatapointError> {
        let schema = stored(&row)?;
        Ok(Self { label: row.label, schema, unit: row.unit, updated_at: row.updated_at, agent: row.agent })
    }
}

fn stored(row: &SchemaRow) -> Result<Value, DatapointError> {
    serde_json::from_str(&row.schema).map_err(|error| DatapointError::Damaged {
        id: format!("schema of label '{}'", row.label),
        problem: error.to_string(),
    })
}

fn check_label(label: &str) -> Result<(), DatapointError> {
    if label.is_empty() || label.len() > LONGEST_LABEL || label.contains('\0') {
        let problem = format!("a schema is for a label of 1 to {LONGEST_LABEL} bytes without U+0000");
        return Err(DatapointError::parameter("label", problem));
    }
    Ok(())
}

fn unknown_unit(unit: &str) -> DatapointError {
    let shown: String = unit.chars().take(80).collect();
    let problem = format!(
        "'{shown}' is not a known unit; products of symbols such as degC, mL/min, W/(m2 K), ppm, counts or 1 are"
    );
    DatapointError::parameter("unit", problem)
}

/// Makes a schema ready, if it is one that may be run on values.
fn compile(schema: &Value) -> Result<Validator, DatapointError> {
    let refuse = |problem: String| DatapointError::Schema { problem };
    if schema.to_string().len() > LONGEST_SCHEMA {
        return Err(refuse(format!("it is longer than {LONGEST_SCHEMA} bytes")));
    }
    unfold::check(schema).map_err(refuse)?;
    if let Some(unit) = unfold::units(schema).find(|unit| !unit::is_known(unit)) {
        return Err(unknown_unit(unit));
    }
    let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES);
    let built = jsonschema::options().offline().with_pattern_options(patterns).build(schema);
    built.map_err(|error| refuse(error.to_string().chars().take(400).collect()))
}
