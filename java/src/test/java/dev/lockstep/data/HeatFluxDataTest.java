package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.FeatureConfig.Function;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The real data of the quickstart; expected numbers are those that ncdump prints. */
class HeatFluxDataTest {
  private static final Path FILE = Path.of("/usr/share/ferret-vis/data/esku_heat_budget.cdf");
  private static final double HOURS_OF_YEAR = 8765.82;

  static DataConfig config(boolean dropMissing) {
    List<FeatureConfig> features =
        new ArrayList<>(FeatureConfig.ofVariables(List.of("SPD", "SST", "AT", "AH", "CLD")));
    features.add(new FeatureConfig("TIME", Function.SINE, HOURS_OF_YEAR, "month_sine"));
    features.add(new FeatureConfig("TIME", Function.COSINE, HOURS_OF_YEAR, "month_cosine"));
    features.add(new FeatureConfig("ESKUY", Function.SINE, 360, "latitude_sine"));
    return new DataConfig(
        FILE.toString(),
        Format.AUTO,
        null,
        features,
        List.of("FSR", "FUL", "FLH", "FSH"),
        dropMissing,
        0.2,
        1);
  }

  @BeforeEach
  void needsTheFile() {
    assumeTrue(Files.exists(FILE), FILE + " is absent: install Debian's package ferret-datasets");
  }

  @Test
  void keepsExactlyThePointsWhereAllNineFieldsAreKnown() {
    try (Dataset dataset = DataFiles.open(config(true))) {
      assertEquals(19_985, dataset.size());
    }
  }

  @Test
  void holdsOutAFifth() {
    Split split = Split.of(19_985, 0.2, 1);
    assertEquals(3997, split.validation().length);
    assertEquals(15_988, split.train().length);
  }
}
