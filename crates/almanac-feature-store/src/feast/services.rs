//! Feature services of Feast, and the views that they show under another name or with other keys.
//!
//! A view that a service renames (`with_name`), or whose keys it renames (`with_join_key_map`: a trip has an origin and a destination, and
//! both are locations), becomes a view of its own here, of the same source.

use std::collections::BTreeMap;

use super::registry::{FeatureService, Projection, Registry};
use crate::declaration::{DeclaredEntity, DeclaredField, DeclaredFile, DeclaredKey, DeclaredService, DeclaredView, TypedKey};

/// Takes the services of a project over.
pub(super) fn take(registry: &Registry, project: &str, file: &mut DeclaredFile, left: &mut Vec<String>) {
    // Views as another name has them: what they were made from, so that two services may share one.
    let mut made: BTreeMap<String, (String, BTreeMap<String, String>)> = BTreeMap::new();
    for service in &registry.feature_services {
        take_one(service, project, file, &mut made, left);
    }
}

fn take_one(
    service: &FeatureService,
    project: &str,
    file: &mut DeclaredFile,
    made: &mut BTreeMap<String, (String, BTreeMap<String, String>)>,
    left: &mut Vec<String>,
) {
    let Some(spec) = service.spec.as_ref().filter(|spec| spec.project == project) else { return };
    let mut features: Vec<String> = Vec::new();
    for projection in &spec.features {
        let original = &projection.feature_view_name;
        let Some(view) = file.views.iter().find(|view| view.name == *original) else {
            left.push(format!("feature service `{}` is without the features of `{original}`, which is not taken over", spec.name));
            continue;
        };
        let names = |field: &DeclaredField| match field {
            DeclaredField::Column(name) => name.clone(),
            DeclaredField::Detailed(field) => field.name.clone(),
        };
        let there: Vec<String> = view.fields.iter().map(names).collect();
        let is_renamed = !projection.feature_view_name_alias.is_empty() && projection.feature_view_name_alias != *original;
        let name = if is_renamed || !projection.join_key_map.is_empty() {
            match renamed(projection, &view.clone(), file, made) {
                Ok(name) => name,
                Err(why) => {
                    left.push(format!("feature service `{}` is without the features of `{original}`: {why}", spec.name));
                    continue;
                }
            }
        } else {
            original.clone()
        };
        let wanted = projection.feature_columns.iter().filter(|feature| there.contains(&feature.name));
        features.extend(wanted.map(|feature| format!("{name}:{}", feature.name)));
    }
    if features.is_empty() {
        left.push(format!("feature service `{}` is left out: it has no features any more", spec.name));
        return;
    }
    file.services.push(DeclaredService { name: spec.name.clone(), description: spec.description.clone(), features });
}

/// Declares a view as a service shows it, once. Returns its name.
fn renamed(
    projection: &Projection,
    view: &DeclaredView,
    file: &mut DeclaredFile,
    made: &mut BTreeMap<String, (String, BTreeMap<String, String>)>,
) -> Result<String, String> {
    let keys = &projection.join_key_map;
    let name = match projection.feature_view_name_alias.as_str() {
        "" => format!("{}_by_{}", view.name, keys.values().cloned().collect::<Vec<_>>().join("_")),
        alias => alias.to_owned(),
    };
    let origin = (view.name.clone(), keys.clone());
    match made.get(&name) {
        Some(known) if *known == origin => return Ok(name),
        Some(_) => return Err(format!("another service calls another view `{name}`")),
        None if file.views.iter().any(|other| other.name == name) => return Err(format!("there is another view called `{name}`")),
        None => {}
    }
    let mut copy = view.clone();
    copy.name.clone_from(&name);
    for entity in &mut copy.entities {
        let Some(known) = file.entities.iter().find(|known| known.name == *entity).cloned() else { continue };
        let (mut new, mut is_new) = (Vec::new(), false);
        for key in known.keys {
            let DeclaredKey::Typed(TypedKey { name: old, kind }) = key else { continue };
            let shown = keys.get(&old).cloned().unwrap_or_else(|| old.clone());
            if shown != old {
                let column = copy.key_columns.remove(&old).unwrap_or_else(|| old.clone());
                copy.key_columns.insert(shown.clone(), column);
                is_new = true;
            }
            new.push(TypedKey { name: shown, kind });
        }
        if is_new {
            let names: Vec<&str> = new.iter().map(|key| key.name.as_str()).collect();
            let named = format!("{entity}_as_{}", names.join("_"));
            if !file.entities.iter().any(|other| other.name == named) {
                let keys = new.into_iter().map(DeclaredKey::Typed).collect();
                file.entities.push(DeclaredEntity { name: named.clone(), keys, description: known.description });
            }
            *entity = named;
        }
    }
    file.views.push(copy);
    made.insert(name.clone(), origin);
    Ok(name)
}
