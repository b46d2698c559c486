//! Box-Cox against SciPy and coreforecast (see the fixture's header).

use almanac_features::{Lambda, Transform, TransformSpec};

fn lambda_of(lambda: Lambda, y: &[f64]) -> f64 {
    match (TransformSpec::BoxCox { lambda }).fit(y).expect("positive values") {
        Transform::BoxCox { lambda } => lambda,
        other => panic!("not a Box-Cox transform: {other:?}"),
    }
}

#[test]
fn box_cox_equals_that_of_python() {
    let numbers = |line: &str| line.split(' ').map(|value| value.parse::<f64>().expect("a number")).collect::<Vec<_>>();
    let mut lines = include_str!("python_box_cox.txt").lines().filter(|line| !line.starts_with('#'));
    while let Some(head) = lines.next() {
        let (name, head) = head.split_once(' ').expect("a name");
        let [season, guerrero, likelihood] = numbers(head).try_into().expect("three numbers");
        let (y, wanted) = (numbers(lines.next().expect("values")), numbers(lines.next().expect("values")));
        // Both searches of the references stop within about 1e-4 and 1e-8 of a flat minimum.
        let found = lambda_of(Lambda::Guerrero { season_length: season as usize }, &y);
        assert!((found - guerrero).abs() < 2e-4, "{name}: {found} for {guerrero}");
        let found = lambda_of(Lambda::Likelihood, &y);
        assert!((found - likelihood).abs() < 1e-6, "{name}: {found} for {likelihood}");
        let transform = Transform::BoxCox { lambda: likelihood };
        let mut back = transform.apply(&y);
        for (found, wanted) in back.iter().zip(&wanted) {
            assert!((found - wanted).abs() < 1e-12 * wanted.abs().max(1.0), "{name}: {found} for {wanted}");
        }
        transform.undo(&mut back);
        assert!(back.iter().zip(&y).all(|(found, wanted)| (found - wanted).abs() < 1e-9 * wanted), "{name}");
    }
}

/// R: `forecast::BoxCox.lambda(AirPassengers)` prints -0.2947156, found to R's tolerance of about 1e-4.
#[test]
fn guerreros_lambda_of_the_air_passengers_is_that_of_r() {
    let y = include_str!("python_box_cox.txt").lines().skip_while(|line| !line.starts_with("air")).nth(1).expect("values");
    let y: Vec<f64> = y.split(' ').map(|value| value.parse().expect("a number")).collect();
    assert!((lambda_of(Lambda::Guerrero { season_length: 12 }, &y) + 0.294_715_6).abs() < 2e-4);
}
