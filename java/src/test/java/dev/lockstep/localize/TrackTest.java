package dev.lockstep.localize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.localize.files.TrackedNetwork;
import dev.lockstep.localize.network.Duplicates;
import dev.lockstep.localize.network.MeasurementsConfig;
import dev.lockstep.localize.network.NetworkConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TrackTest {
  private static final double[][] ANCHORS = {{0, 0}, {10, 0}, {0, 10}, {10, 10}};

  @TempDir Path folder;

  @Test
  void everyTimeStampThatCanBeLocatedHasALineForEachSensor() throws Exception {
    StringBuilder log = new StringBuilder("time,from,to,range\n");
    for (int second = 0; second < 3; second++) {
      for (int anchor = 0; anchor < (second == 1 ? 1 : 4); anchor++) {
        double range = Math.hypot(2 + second - ANCHORS[anchor][0], 3 - ANCHORS[anchor][1]);
        log.append(String.format(Locale.ROOT, "%d.5,car,T%d,%.6f%n", second, anchor, range));
      }
    }
    Path file = Files.writeString(folder.resolve("log.csv"), log);
    Path anchors =
        Files.writeString(
            folder.resolve("anchors.csv"), "anchor,x,y\nT0,0,0\nT1,10,0\nT2,0,10\nT3,10,10\n");
    Track track = new Track();
    LocalizationConfig config =
        new LocalizationConfig(
            NetworkConfig.of(null, null, null, null, null),
            MeasurementsConfig.defaults(),
            SplittingConfig.defaults());
    try (Communicator alone = Communicator.single()) {
      track.run(alone, config, TrackedNetwork.read(file, Optional.of(anchors), Duplicates.ERROR));
    }

    List<String> lines = track.csv().lines().toList();
    assertEquals("time,sensor,x,y,std_x,std_y,certainty", lines.get(0));
    assertEquals(3, lines.size());
    assertEquals(2, track.located());
    assertEquals(1, track.skipped());
    assertTrue(String.valueOf(track.reason()).startsWith("1.5: "), track.reason());
    String[] last = lines.get(2).split(",");
    assertEquals("2.5", last[0]);
    assertEquals(4, Double.parseDouble(last[2]), 1e-3);
    assertEquals(3, Double.parseDouble(last[3]), 1e-3);
  }
}
