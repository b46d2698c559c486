"""Panels whose time is a count of steps from the start of each series (M3, M4)."""


def ended_together(train, held):
    """Counts the steps so that all series end at the same one.

    The program forecasts all series of a project from one origin, and takes a series that ended long before it for discontinued.
    Steps that count from each series' own start say nothing about that, so they are shifted; the values stay as they are.
    """
    last = train.groupby("unique_id").ds.max()
    shift = last.max() - last
    return tuple(frame.assign(ds=frame.ds.astype("int64") + frame.unique_id.map(shift)) for frame in (train, held))


def last_steps(full, horizon):
    """Splits off the last `horizon` rows of each series."""
    full = full.sort_values(["unique_id", "ds"])
    back = full.groupby("unique_id").cumcount(ascending=False)
    return full[back >= horizon].reset_index(drop=True), full[back < horizon].reset_index(drop=True)
