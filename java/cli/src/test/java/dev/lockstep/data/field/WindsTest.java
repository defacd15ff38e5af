package dev.lockstep.data.field;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.RunConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.monitor.metric.FieldSums;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The monthly winds of examples/winds.yaml (Debian's ferret-datasets). The numbers expected here
 * were computed with NumPy from the file alone.
 */
@EnabledIf("present")
class WindsTest {
  private static final Path FILE = Path.of("/usr/share/ferret-vis/data/monthly_navy_winds.cdf");

  static boolean present() {
    return Files.exists(FILE);
  }

  private static FieldDataset open(String... overrides) {
    Path example = Path.of(System.getProperty("lockstep.repository"), "examples/winds.yaml");
    RunConfig config = ConfigLoader.load(RunConfig.class, example, List.of(overrides));
    return (FieldDataset) DataFiles.open(config.data());
  }

  /** Climatology 1.858, persistence 2.121, damped anomaly 1.740 and AR(1) by cell 1.674 m/s. */
  @ParameterizedTest
  @CsvSource({
    "climatology, 1.8577",
    "persistence, 2.1206",
    "damped_anomaly, 1.7399",
    "autoregression, 1.6743"
  })
  void baselinesHaveTheErrorsThatAnIndependentComputationGives(String name, double rmse) {
    try (FieldDataset winds = open()) {
      Baselines baselines = new Baselines(winds);
      double[] truth = new double[2 * winds.cells()];
      double[] predicted = new double[truth.length];
      FieldSums sums = new FieldSums(2, winds.cellWeights());
      long[] test = winds.split(null).test();
      assertEquals(24, test.length);
      for (long sample : test) {
        baselines.truth(sample, truth);
        baselines.predict(name, sample, predicted);
        sums.add(predicted, truth, 0);
      }
      assertEquals(rmse, sums.rmse(), 5e-4);
    }
  }
}
