package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.data.DataConfig.Format;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SyntheticDataTest {
  private static final SyntheticConfig CONFIG = new SyntheticConfig(2500, 3, 2, 0.1, 11);

  @TempDir Path folder;

  private static double[] values(SyntheticConfig config, String name, int piece) {
    return Resources.values(new SyntheticData(config), name, piece);
  }

  @Test
  void aValueFollowsFromSeedAndIndexAlone() {
    assertArrayEquals(values(CONFIG, "y1", 2500), values(CONFIG, "y1", 7));
    SyntheticConfig longer = new SyntheticConfig(5000, 3, 2, 0.1, 11);
    assertEquals(values(CONFIG, "x2", 100)[2499], values(longer, "x2", 100)[2499]);
  }

  @Test
  void featuresHaveMeanZeroAndVarianceOne() {
    Moments moments = new Moments(1);
    for (double value : values(CONFIG, "x0", 2500)) {
      moments.add(new double[] {value}, 0);
    }
    assertEquals(0, moments.mean()[0], 0.1);
    assertEquals(1, moments.standardDeviation()[0], 0.05);
  }

  @Test
  void noiseIsWhatIsAddedToTheSignal() {
    double[] noisy = values(CONFIG, "y0", 2500);
    double[] clean = values(new SyntheticConfig(2500, 3, 2, 0, 11), "y0", 2500);
    Moments noise = new Moments(1);
    for (int i = 0; i < noisy.length; i++) {
      noise.add(new double[] {noisy[i] - clean[i]}, 0);
    }
    assertEquals(0.1, noise.standardDeviation()[0], 0.01);
  }

  @Test
  void oneFeatureGivesTheDocumentedSignal() {
    SyntheticConfig one = new SyntheticConfig(50, 1, 1, 0, 3);
    double[] x = values(one, "x0", 50);
    double[] y = values(one, "y0", 50);
    // In one dimension unit vectors are ±1: a·x = ±x, and (a·x)(b·x) = ±x².
    int matches = 0;
    for (double a : new double[] {-1, 1}) {
      for (double b : new double[] {-1, 1}) {
        boolean all = true;
        for (int i = 0; i < 50; i++) {
          double expected = Math.sin(2 * a * x[i]) + a * x[i] * b * x[i];
          all &= Math.abs(expected - y[i]) < 1e-12;
        }
        matches += all ? 1 : 0;
      }
    }
    assertEquals(1, matches);
  }

  @ParameterizedTest
  @ValueSource(strings = {"s.csv", "s.nc"})
  void aFileHoldsTheSameNumbers(String name) {
    Path path = folder.resolve(name);
    DataFiles.create(CONFIG, path);
    try (ArrayFile file = DataFiles.openArrays(path, Format.AUTO)) {
      for (String column : List.of("x0", "x2", "y0", "y1")) {
        assertArrayEquals(values(CONFIG, column, 2500), Resources.values(file, column, 999));
      }
    }
  }

  @Test
  void npyHoldsFeaturesThenTargets() {
    Path path = folder.resolve("s.npy");
    DataFiles.create(CONFIG, path);
    FileDescription description = DataFiles.describe(path);
    Variable data = description.variables().get(0).variable();
    assertEquals(List.of(2500L, 5L), data.dimensions().stream().map(d -> d.length()).toList());
  }
}
