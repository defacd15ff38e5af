package dev.lockstep.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableFilesTest {
  @TempDir private Path folder;

  @Test
  void aFileThatIsWrittenByNameReplacesTheOldOne() throws IOException {
    Path file = Files.writeString(folder.resolve("model.pt"), "old");
    DurableFiles.replaceWith(file, temporary -> Files.writeString(temporary, "new"));
    assertEquals("new", Files.readString(file));
    assertEquals(List.of(file), DurableFiles.children(folder));
  }

  @Test
  void aFailureLeavesTheOldFileAndNothingElse() throws IOException {
    Path file = Files.writeString(folder.resolve("model.pt"), "old");
    IOException thrown =
        assertThrows(
            IOException.class,
            () ->
                DurableFiles.replaceWith(
                    file,
                    temporary -> {
                      Files.writeString(temporary, "a part");
                      throw new IOException("the disk is full");
                    }));
    assertEquals("the disk is full", thrown.getMessage());
    assertEquals("old", Files.readString(file));
    assertEquals(List.of(file), DurableFiles.children(folder));
  }

  @Test
  void aWriterThatMakesNoFileIsAnErrorAndLeavesTheOldOne() throws IOException {
    Path file = Files.writeString(folder.resolve("model.pt"), "old");
    assertThrows(IOException.class, () -> DurableFiles.replaceWith(file, temporary -> {}));
    assertEquals("old", Files.readString(file));
  }
}
