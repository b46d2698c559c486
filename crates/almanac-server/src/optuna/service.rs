//! The methods of Optuna's storage service: each turns a message into words of the store, asks it, and turns the answer back.
//!
//! Not here: the protocol around the messages (`optuna`).

use std::collections::BTreeMap;

use almanac_tracking::{
    AttributeKind, Micros, StoreError, StudyDirection, StudyId, TrackingStore, TrialContent, TrialId, TrialParam, TrialState,
};
use jiff::tz::TimeZone;

use super::clock;
use super::messages::{
    Attribute, Attributes, Directions, Empty, NewStudy, NewTrial, OneTrial, Studies, Study, StudyKey, StudyName, Trial,
    TrialIntermediateValue, TrialKey, TrialNumber, TrialParameter, TrialStateValues, TrialUpdated, Trials, TrialsAsked,
};

pub(super) fn create_new_study(store: &TrackingStore, new: NewStudy) -> Result<StudyKey, StoreError> {
    let direction = |number: &i32| match number {
        0 => Ok(StudyDirection::Minimize),
        1 => Ok(StudyDirection::Maximize),
        _ => Err(StoreError::invalid(format!("{number} is not the number of a direction."))),
    };
    let directions: Vec<StudyDirection> = new.directions.iter().map(direction).collect::<Result<_, _>>()?;
    Ok(StudyKey { study_id: store.create_study(&new.study_name, &directions)?.0 })
}

pub(super) fn delete_study(store: &TrackingStore, asked: StudyKey) -> Result<Empty, StoreError> {
    store.delete_study(StudyId(asked.study_id)).map(|()| Empty {})
}

pub(super) fn set_study_user_attribute(store: &TrackingStore, new: Attribute) -> Result<Empty, StoreError> {
    store.set_study_attribute(StudyId(new.id), AttributeKind::User, &new.key, &new.value).map(|()| Empty {})
}

pub(super) fn set_study_system_attribute(store: &TrackingStore, new: Attribute) -> Result<Empty, StoreError> {
    store.set_study_attribute(StudyId(new.id), AttributeKind::System, &new.key, &new.value).map(|()| Empty {})
}

pub(super) fn get_study_id_from_name(store: &TrackingStore, asked: StudyName) -> Result<StudyKey, StoreError> {
    Ok(StudyKey { study_id: store.get_study_id(&asked.study_name)?.0 })
}

pub(super) fn get_study_name_from_id(store: &TrackingStore, asked: StudyKey) -> Result<StudyName, StoreError> {
    Ok(StudyName { study_name: store.get_study(StudyId(asked.study_id))?.name })
}

pub(super) fn get_study_directions(store: &TrackingStore, asked: StudyKey) -> Result<Directions, StoreError> {
    Ok(Directions { directions: directions(&store.get_study(StudyId(asked.study_id))?.directions) })
}

pub(super) fn get_study_user_attributes(store: &TrackingStore, asked: StudyKey) -> Result<Attributes, StoreError> {
    Ok(Attributes { attributes: store.get_study(StudyId(asked.study_id))?.user_attributes })
}

pub(super) fn get_study_system_attributes(store: &TrackingStore, asked: StudyKey) -> Result<Attributes, StoreError> {
    Ok(Attributes { attributes: store.get_study(StudyId(asked.study_id))?.system_attributes })
}

pub(super) fn get_all_studies(store: &TrackingStore, _: Empty) -> Result<Studies, StoreError> {
    let study = |study: almanac_tracking::Study| Study {
        study_id: study.id.0,
        study_name: study.name,
        directions: directions(&study.directions),
        user_attributes: study.user_attributes,
        system_attributes: study.system_attributes,
    };
    Ok(Studies { studies: store.list_studies()?.into_iter().map(study).collect() })
}

pub(super) fn create_new_trial(store: &TrackingStore, new: NewTrial) -> Result<TrialKey, StoreError> {
    let content = match new.template_trial {
        Some(template) if !new.template_trial_is_none => content(template)?,
        None if !new.template_trial_is_none => return Err(StoreError::invalid("The template of the trial is missing.")),
        _ => TrialContent::running(clock::now()),
    };
    Ok(TrialKey { trial_id: store.create_trial(StudyId(new.study_id), &content)?.0 })
}

pub(super) fn set_trial_parameter(store: &TrackingStore, new: TrialParameter) -> Result<Empty, StoreError> {
    let param = TrialParam { value: new.param_value_internal, distribution: new.distribution };
    store.set_trial_param(TrialId(new.trial_id), &new.param_name, &param).map(|()| Empty {})
}

pub(super) fn get_trial_id_from_study_id_trial_number(store: &TrackingStore, asked: TrialNumber) -> Result<TrialKey, StoreError> {
    Ok(TrialKey { trial_id: store.get_trial_id(StudyId(asked.study_id), asked.trial_number)?.0 })
}

pub(super) fn set_trial_state_values(store: &TrackingStore, new: TrialStateValues) -> Result<TrialUpdated, StoreError> {
    let state = state(new.state)?;
    Ok(TrialUpdated { trial_updated: store.set_trial_state(TrialId(new.trial_id), state, &new.values, clock::now())? })
}

pub(super) fn set_trial_intermediate_value(store: &TrackingStore, new: TrialIntermediateValue) -> Result<Empty, StoreError> {
    store.set_trial_intermediate_value(TrialId(new.trial_id), new.step, new.intermediate_value).map(|()| Empty {})
}

pub(super) fn set_trial_user_attribute(store: &TrackingStore, new: Attribute) -> Result<Empty, StoreError> {
    store.set_trial_attribute(TrialId(new.id), AttributeKind::User, &new.key, &new.value).map(|()| Empty {})
}

pub(super) fn set_trial_system_attribute(store: &TrackingStore, new: Attribute) -> Result<Empty, StoreError> {
    store.set_trial_attribute(TrialId(new.id), AttributeKind::System, &new.key, &new.value).map(|()| Empty {})
}

pub(super) fn get_trial(store: &TrackingStore, asked: TrialKey) -> Result<OneTrial, StoreError> {
    let found = store.get_trial(TrialId(asked.trial_id))?;
    Ok(OneTrial { trial: Some(trial(&TimeZone::system(), found)) })
}

pub(super) fn get_trials(store: &TrackingStore, asked: TrialsAsked) -> Result<Trials, StoreError> {
    let also: Vec<TrialId> = asked.included_trial_ids.into_iter().map(TrialId).collect();
    let found = store.get_trials(StudyId(asked.study_id), TrialId(asked.trial_id_greater_than), &also)?;
    let zone = TimeZone::system();
    Ok(Trials { trials: found.into_iter().map(|found| trial(&zone, found)).collect() })
}

fn directions(directions: &[StudyDirection]) -> Vec<i32> {
    directions.iter().map(|direction| i32::from(*direction == StudyDirection::Maximize)).collect()
}

fn state(number: i32) -> Result<TrialState, StoreError> {
    TrialState::from_number(number).ok_or_else(|| StoreError::invalid(format!("{number} is not the number of a trial's state.")))
}

/// Reads a template; its id and number mean nothing.
fn content(mut template: Trial) -> Result<TrialContent, StoreError> {
    let zone = TimeZone::system();
    let time = |text: &str| -> Result<Option<Micros>, StoreError> { clock::read(&zone, text) };
    let (started, completed) = (time(&template.datetime_start)?, time(&template.datetime_complete)?);
    let mut params = BTreeMap::new();
    for (name, value) in template.params {
        let Some(distribution) = template.distributions.remove(&name) else {
            return Err(StoreError::invalid("Every param of a trial needs a distribution."));
        };
        params.insert(name, TrialParam { value, distribution });
    }
    if !template.distributions.is_empty() {
        return Err(StoreError::invalid("Every distribution of a trial needs a param."));
    }
    Ok(TrialContent {
        state: state(template.state)?,
        values: template.values,
        started,
        completed,
        params,
        user_attributes: template.user_attributes,
        system_attributes: template.system_attributes,
        intermediate_values: template.intermediate_values,
    })
}

fn trial(zone: &TimeZone, found: almanac_tracking::Trial) -> Trial {
    let content = found.content;
    let params = content.params.iter().map(|(name, param)| (name.clone(), param.value)).collect();
    Trial {
        trial_id: found.id.0,
        number: found.number,
        state: content.state.number(),
        values: content.values,
        datetime_start: clock::write(zone, content.started),
        datetime_complete: clock::write(zone, content.completed),
        params,
        distributions: content.params.into_iter().map(|(name, param)| (name, param.distribution)).collect(),
        user_attributes: content.user_attributes,
        system_attributes: content.system_attributes,
        intermediate_values: content.intermediate_values,
    }
}
