package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which outputs are refused before anything is read. */
class PredictedFilesTest {
  @TempDir Path folder;

  @Test
  void whatAFileIsPredictedFromIsNotReplacedByIt() throws IOException {
    Path data = Files.writeString(folder.resolve("a.nc"), "data");
    Path model = Files.writeString(folder.resolve("model.pt"), "model");
    Path link = Files.createSymbolicLink(folder.resolve("b.nc"), data);
    for (Path output : List.of(data, link, folder.resolve("{name}.nc"), model)) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> new PredictedFiles(model, List.of(data), output));
      assertTrue(e.getMessage().contains("would replace "), e::getMessage);
    }
    assertEquals("data", Files.readString(data));
    new PredictedFiles(model, List.of(data), folder.resolve("{name}_predicted.nc"));
  }
}
