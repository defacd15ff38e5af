package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that is given what it is to predict scores perfectly and says nothing. */
class GivenAnswersTest {
  @TempDir Path folder;

  private void open(List<String> features, List<String> targets) throws Exception {
    Path file = folder.resolve("rows.npy");
    try (TableWriter out = TableWriter.create(file, List.of("a", "b", "c"), 2)) {
      out.write(new double[] {1, 2, 3, 4, 5, 6}, 2);
    }
    DataFiles.open(
            new DataConfig(
                file.toString(),
                DataConfig.Format.AUTO,
                null,
                FeatureConfig.ofVariables(features),
                targets,
                true,
                0,
                0))
        .close();
  }

  private String refused(List<String> features, List<String> targets) {
    return assertThrows(IllegalArgumentException.class, () -> open(features, targets)).getMessage();
  }

  @Test
  void aTargetAmongTheFeaturesIsNamed() {
    String expected = " is a feature and a target; leave it out of data.features";
    String found = refused(List.of("data[0]", "data[2]"), List.of("data[2]"));
    assertTrue(found.endsWith("rows.npy: data[2]" + expected), found);
    found = refused(List.of("data"), List.of("data[1]"));
    assertTrue(found.endsWith("rows.npy: data[1]" + expected), found);
  }

  @Test
  void anAutoencoderHasItsFeaturesAsTargets() {
    assertDoesNotThrow(() -> open(List.of("data"), List.of("data")));
  }

  @Test
  void otherColumnsOfOneArrayAreOtherThings() {
    assertDoesNotThrow(() -> open(List.of("data[0]", "data[1]"), List.of("data[2]")));
  }

  @Test
  void functionsOfATargetAreItsAnswersToo() throws Exception {
    Files.writeString(folder.resolve("t.csv"), "x,angle\n1,0.5\n2,0.25\n");
    DataConfig config =
        new DataConfig(
            folder.resolve("t.csv").toString(),
            DataConfig.Format.AUTO,
            null,
            List.of(
                FeatureConfig.ofVariables(List.of("x")).get(0),
                new FeatureConfig("angle", FeatureConfig.Function.SINE, 360, "sine")),
            List.of("angle"),
            true,
            0,
            0);
    assertEquals(
        folder.resolve("t.csv")
            + ": angle is a feature and a target; leave it out of data.features",
        assertThrows(IllegalArgumentException.class, () -> DataFiles.open(config).close())
            .getMessage());
  }
}
