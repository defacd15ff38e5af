package dev.lockstep.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.FeatureConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model file says about its inputs and outputs. */
class ModelDescriptionTest {
  @TempDir Path folder;

  private Optional<ModelDescription> read(String json) throws IOException {
    Path file = folder.resolve("model.pt");
    try (ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(file))) {
      to.putNextEntry(new ZipEntry("model/extra/" + PhysicalModel.DESCRIPTION_ENTRY));
      to.write(json.getBytes(StandardCharsets.UTF_8));
    }
    return ModelDescription.read(file);
  }

  private static ModelDescription described() {
    FeatureConfig sine = new FeatureConfig("LON", FeatureConfig.Function.SINE, 360, "sin(LON)");
    return new ModelDescription(
        List.of("SPD", "sin(LON)"),
        List.of("FLUX"),
        List.of(FeatureConfig.of("SPD"), sine),
        Map.of("SPD", "m s-1", "LON", "degrees_east"));
  }

  @Test
  void isReadAsItWasWritten() throws IOException {
    assertEquals(Optional.of(described()), read(described().toJson()));
  }

  @Test
  void ofAnOlderFileNamesVariables() throws IOException {
    ModelDescription old = read("{\"features\":[\"a\",\"b\"],\"targets\":[\"y\"]}").orElseThrow();
    assertEquals(List.of(FeatureConfig.of("a"), FeatureConfig.of("b")), old.recipe());
    assertEquals(List.of("y"), old.targets());
  }

  @Test
  void refusesOtherUnitsButNotUnknownOnes() {
    described().checkUnits("new.nc", Map.of("SPD", "m s-1", "OTHER", "K"));
    described().checkUnits("new.nc", Map.of());
    String message =
        assertThrows(
                ModelException.class,
                () -> described().checkUnits("new.nc", Map.of("SPD", "knots")))
            .getMessage();
    assertTrue(message.contains("SPD is in 'knots'") && message.contains("'m s-1'"), message);
  }
}
