package dev.lockstep.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.ofEpochSecond(1_763_697_600, 250_000_000));

  /** Written by tensorboard 2.21.0: its RecordWriter and its Event messages, at the same time. */
  private static final String REFERENCE =
      "1800000000000000a37f4b2209000010f0f847da411a0d627261696e2e4576656e743a32abbd18a5"
          + "100000000000000095fbfe1809000010f0f847da4110ac023a020801b48b48de"
          + "33000000000000000ca7205609000010f0f847da4110ac022a250a110a0a6c6f73732f747261696e"
          + "150000003e0a100a0972322f6e61c3af7665150000c0bf2c596fc6";

  @TempDir Path folder;

  @Test
  void writesTheBytesThatTensorBoardWrites() throws IOException {
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss/train", 0.125);
    values.put("r2/naïve", -1.5);
    try (EventFile events = EventFile.create(folder, CLOCK)) {
      events.restartAt(300);
      events.scalars(300, values);
    }

    Path file = files().get(0);
    assertTrue(file.getFileName().toString().startsWith("events.out.tfevents.1763697600."));
    assertEquals(REFERENCE, HexFormat.of().formatHex(Files.readAllBytes(file)));
  }

  @Test
  void makesAFileOfItsOwnEachTime() throws IOException {
    EventFile.create(folder, CLOCK).close();
    EventFile.create(folder, CLOCK).close();

    assertEquals(2, files().size());
    assertNotEquals(files().get(0), files().get(1));
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }
}
