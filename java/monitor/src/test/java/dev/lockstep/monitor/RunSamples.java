package dev.lockstep.monitor;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** A run as a trainer would tell it. */
final class RunSamples {
  private RunSamples() {}

  static RunStart start(int firstEpoch) {
    return new RunStart(
        "heat-flux",
        "tcp",
        2,
        1,
        Optional.of("127.0.0.1:40001"),
        List.of(7994L, 7994L),
        3997,
        18_308,
        firstEpoch,
        30,
        63);
  }

  static ValidationScores scores() {
    Map<String, Double> r2 = new LinkedHashMap<>();
    r2.put("FSR", 0.9912);
    r2.put("FUL", 0.9961);
    Map<String, Double> rmse = new LinkedHashMap<>();
    rmse.put("FSR", 7.25);
    rmse.put("FUL", 1.5);
    return new ValidationScores(r2, rmse, OptionalDouble.empty());
  }

  static EpochRecord epoch(int epoch) {
    return new EpochRecord(
        epoch, epoch * 63L, 1.0 / epoch, 1.25 / epoch, scores(), 1e-3, 15_988, 0.0625, 0.125);
  }

  static RunSummary summary() {
    return new RunSummary(
        0.0125,
        0.0150,
        scores(),
        15_988,
        2,
        "tcp",
        30,
        1.875,
        255_808,
        0.125,
        List.of("ab12", "ab12"));
  }

  static List<TargetPredictions> predictions() {
    return List.of(PlotsTest.noisy("FSR", "W/m²", 1), PlotsTest.noisy("FUL", "W/m²", 2));
  }
}
