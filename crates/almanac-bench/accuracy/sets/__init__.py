"""The data sets, one file each or one for a family. A set is `tasks(bench)` and, where it has parts, `summary(results)`."""

from sets import carparts_hospital, favorita, m3, m4, m5_daily, m5_monthly, odd_formats, rossmann, walmart

# In the order of the table. Each names the folder below the data folder without which it is skipped.
SETS = {
    "m5": (m5_daily, "m5"),
    "m5_monthly": (m5_monthly, "m5"),
    "m4_hourly": (m4.Frequency("hourly"), "m4"),
    "m4_weekly": (m4.Frequency("weekly"), "m4"),
    "m3": (m3, "m3"),
    "rossmann": (rossmann, "rossmann"),
    "walmart": (walmart, "walmart_raw"),
    "favorita": (favorita, "favorita_store_transactions_raw"),
    "carparts": (carparts_hospital.Counts("carparts"), "carparts"),
    "hospital": (carparts_hospital.Counts("hospital"), "hospital"),
    "odd_formats": (odd_formats, "odd_formats_raw"),
}
