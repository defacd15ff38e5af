package dev.lockstep.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreeSpaceTest {
  @Test
  void aFolderHasSomeOfItsDisk(@TempDir Path folder) {
    assertTrue(FreeSpace.of(folder) > 0);
    assertTrue(FreeSpace.of(folder) <= FreeSpace.total(folder));
  }

  @Test
  void whereNobodyCanSayThereIsNoLimit(@TempDir Path folder) {
    assertEquals(Long.MAX_VALUE, FreeSpace.of(folder.resolve("missing")));
  }
}
