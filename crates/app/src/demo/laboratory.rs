//! A laboratory that does not exist: three experiments over a day, and what four instruments measured meanwhile.

use std::time::Duration;

use holotype_core::Instant;
use serde_json::{Value, json};
use ulid::Ulid;

use super::chance::Chance;

/// How long the laboratory has been measuring.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

const MINUTE: u64 = 60;

/// Who did what, by their ULIDs.
#[derive(Debug, Clone)]
pub(super) struct Laboratory {
    pub(super) growth: String,
    pub(super) dispensing: String,
    pub(super) dye_series: String,
    workcell: String,
    incubator: String,
    plate_reader: String,
    balance: String,
    spectrometer: String,
    begin: Instant,
    chance: Chance,
}

/// A file as an instrument writes it.
#[derive(Debug, Clone)]
pub(super) struct InstrumentFile {
    pub(super) name: String,
    pub(super) text: String,
    /// The datapoint that the file belongs to, as JSON.
    pub(super) datapoint: Value,
}

impl Laboratory {
    /// The laboratory of this seed, which has been at work for a day at `end`.
    pub(super) fn new(seed: u64, end: Instant) -> Self {
        let mut chance = Chance::new(seed);
        // Instruments read on the minute.
        let begin =
            end.before(DAY).before(Duration::from_micros(end.as_micros().rem_euclid(60_000_000).unsigned_abs()));
        let mut id = || ulid(begin, &mut chance);
        Self {
            growth: id(),
            dispensing: id(),
            dye_series: id(),
            workcell: id(),
            incubator: id(),
            plate_reader: id(),
            balance: id(),
            spectrometer: id(),
            begin,
            chance,
        }
    }

    /// Every value, in the order in which it was measured by each instrument.
    pub(super) fn values(&mut self) -> Vec<Value> {
        let mut values = self.incubator_readings();
        values.extend(self.plate_readings());
        values.extend(self.weighings());
        values
    }

    /// Temperature, CO2 and humidity every five minutes. Now and then somebody opens the door.
    fn incubator_readings(&mut self) -> Vec<Value> {
        let openings: Vec<f64> = (0..4).map(|_| self.chance.between(30.0, 1400.0)).collect();
        let mut values = Vec::new();
        for minute in (0..24 * 60).step_by(5) {
            let elapsed = f64::from(minute);
            let since = openings.iter().map(|opening| elapsed - opening).filter(|since| *since >= 0.0);
            let cold: f64 = since.clone().map(|since| (-since / 12.0).exp()).sum();
            let open = since.clone().any(|since| since < 5.0);
            let value = json!({
                "temperature": rounded(37.0 - 3.5 * cold + self.chance.noise(0.05), 2),
                "co2": rounded(5.0 - 1.8 * cold + self.chance.noise(0.03), 2),
                "humidity": rounded(94.0 - 9.0 * cold + self.chance.noise(0.4), 1),
                "door": if open { "open" } else { "closed" },
            });
            values.push(self.value("incubator-1", minute, value, &self.growth.clone(), &self.incubator.clone()));
        }
        values
    }

    /// The absorbance of a plate of growing cultures at 600 nm every half hour: logistic growth, row H is medium alone.
    fn plate_readings(&mut self) -> Vec<Value> {
        let rates: Vec<f64> = (0..7).map(|_| self.chance.between(0.35, 0.95)).collect();
        let mut values = Vec::new();
        for minute in (0..=12 * 60).step_by(30) {
            let hours = f64::from(minute) / 60.0;
            let mut wells = serde_json::Map::new();
            for (row, name) in ('A'..='H').enumerate() {
                for column in 1..=12 {
                    let grown = rates.get(row).map_or(0.0, |rate| 1.3 / (1.0 + (-rate * (hours - 6.5)).exp()));
                    wells.insert(format!("{name}{column}"), rounded(0.042 + grown + self.chance.noise(0.004), 3));
                }
            }
            let value = json!({ "plate": "PL-0042", "wavelength": 600, "wells": wells });
            // The plate went in with the second half of the day.
            let at = 12 * 60 - 5 + minute;
            values.push(self.value("plate-reader-1", at, value, &self.growth.clone(), &self.plate_reader.clone()));
        }
        values
    }

    /// A dispenser that should give a gram of water into each vial, and gives a little less as its tip wears.
    fn weighings(&mut self) -> Vec<Value> {
        let mut values = Vec::new();
        for vial in 1..=60_u32 {
            let mass = 1.0 - 0.0002 * f64::from(vial) + self.chance.noise(0.0015);
            let value = json!({
                "mass": rounded(mass, 4),
                "stable": self.chance.share() > 0.03,
                "vial": format!("V-{vial:03}"),
            });
            let at = 9 * 60 + vial;
            values.push(self.value("balance-2", at, value, &self.dispensing.clone(), &self.balance.clone()));
        }
        values
    }

    /// The spectra of a dye at eight concentrations, one CSV file each.
    pub(super) fn spectra(&mut self) -> Vec<InstrumentFile> {
        let concentrations = [0.0, 2.5, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0];
        let mut files = Vec::new();
        for (sample, concentration) in (1_u32..).zip(concentrations) {
            let text = self.spectrum(concentration);
            let name = format!("dye_{sample:02}_{concentration}uM.csv");
            let mut datapoint = self.record(
                "spectrometer-1",
                15 * 60 + 4 * sample,
                &self.dye_series.clone(),
                &self.spectrometer.clone(),
            );
            datapoint["data_type"] = "file".into();
            datapoint["path"] = format!("/instruments/spectrometer-1/{name}").into();
            datapoint["concentration"] = json!({ "value": concentration, "unit": "umol/L" });
            files.push(InstrumentFile { name, text, datapoint });
        }
        files
    }

    /// Two bands over a flat background, from 350 to 750 nm.
    fn spectrum(&mut self, concentration: f64) -> String {
        let mut text = String::from("wavelength_nm,absorbance\n");
        for wavelength in 350..=750_u32 {
            let band = |centre: f64, width: f64| (-((f64::from(wavelength) - centre) / width).powi(2) / 2.0).exp();
            let absorbance = 0.021 * concentration * (band(518.0, 22.0) + 0.42 * band(485.0, 18.0));
            let absorbance = 0.015 + absorbance + self.chance.noise(0.0008);
            text.push_str(&format!("{wavelength},{absorbance:.4}\n"));
        }
        text
    }

    fn value(&mut self, label: &str, minute: u32, value: Value, experiment: &str, node: &str) -> Value {
        let mut record = self.record(label, minute, experiment, node);
        record["data_type"] = "json".into();
        record["value"] = value;
        record
    }

    /// What every datapoint has, measured so many minutes after the beginning.
    fn record(&mut self, label: &str, minute: u32, experiment: &str, node: &str) -> Value {
        let at = self.begin.after(Duration::from_secs(u64::from(minute) * MINUTE));
        json!({
            "label": label,
            "ownership_info": { "experiment_id": experiment, "node_id": node, "workcell_id": self.workcell },
            "datapoint_id": ulid(at, &mut self.chance),
            "data_timestamp": at.to_string(),
        })
    }
}

fn ulid(at: Instant, chance: &mut Chance) -> String {
    Ulid::from_parts(u64::try_from(at.as_micros() / 1000).unwrap_or(0), chance.wide()).to_string()
}

/// A number with as many decimals as the instrument shows.
fn rounded(number: f64, decimals: i32) -> Value {
    let factor = 10_f64.powi(decimals);
    Value::from((number * factor).round() / factor)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    fn end() -> Instant {
        "2026-11-20T18:00:12.5Z".parse().unwrap()
    }

    #[test]
    fn the_same_seed_and_hour_give_the_same_laboratory() {
        let all = |seed| {
            let mut laboratory = Laboratory::new(seed, end());
            let files: Vec<_> = laboratory.spectra().into_iter().map(|file| (file.name, file.text)).collect();
            (laboratory.values(), files)
        };
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
    }

    #[test]
    fn every_instrument_measured_within_the_day_and_no_id_is_used_twice() {
        let mut laboratory = Laboratory::new(1, end());
        let values = laboratory.values();
        let mut ids = HashSet::new();
        let mut labels = BTreeMap::new();
        for value in &values {
            assert!(ids.insert(value["datapoint_id"].as_str().unwrap().to_owned()));
            let at: Instant = value["data_timestamp"].as_str().unwrap().parse().unwrap();
            assert!(at >= end().before(DAY).before(Duration::from_secs(MINUTE)) && at <= end(), "{value}");
            assert_eq!(at.as_micros() % 60_000_000, 0);
            *labels.entry(value["label"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        let counted: Vec<_> = labels.iter().map(|(label, count)| (label.as_str(), *count)).collect();
        assert_eq!(counted, [("balance-2", 60), ("incubator-1", 288), ("plate-reader-1", 25)]);
    }

    #[test]
    fn values_are_such_as_instruments_show() {
        let mut laboratory = Laboratory::new(3, end());
        let values = laboratory.values();
        let of = |label: &'static str| {
            values.iter().filter(move |value| value["label"] == label).map(|value| &value["value"])
        };
        let temperatures: Vec<f64> = of("incubator-1").map(|value| value["temperature"].as_f64().unwrap()).collect();
        let warm = temperatures.iter().filter(|temperature| (36.5..37.5).contains(*temperature)).count();
        assert!(warm > 200 && temperatures.iter().all(|temperature| (20.0..38.0).contains(temperature)));
        assert!(of("incubator-1").any(|value| value["door"] == "open"));
        let last = of("plate-reader-1").next_back().unwrap();
        assert_eq!(last["wells"].as_object().unwrap().len(), 96);
        assert!(last["wells"]["A1"].as_f64().unwrap() > 0.5 && last["wells"]["H12"].as_f64().unwrap() < 0.1);
        assert!(of("balance-2").all(|value| (0.95..1.02).contains(&value["mass"].as_f64().unwrap())));
    }

    #[test]
    fn a_stronger_solution_absorbs_more() {
        let spectra = Laboratory::new(1, end()).spectra();
        assert_eq!((spectra.len(), spectra[0].text.lines().count()), (8, 402));
        let peak = |file: &InstrumentFile| {
            let line = file.text.lines().find(|line| line.starts_with("518,")).unwrap().to_owned();
            line.split_once(',').unwrap().1.parse::<f64>().unwrap()
        };
        let peaks: Vec<f64> = spectra.iter().map(peak).collect();
        assert!(peaks.is_sorted() && peaks[0] < 0.05 && peaks[7] > 0.9, "{peaks:?}");
        assert_eq!(spectra[7].datapoint["concentration"], json!({ "value": 50.0, "unit": "umol/L" }));
    }
}
