package dev.lockstep.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.CommunicationStats;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrometheusRecorderTest {
  @Test
  void eachEpochReplacesTheFile(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("metrics.prom");
    try (Communicator one = Communicator.single();
        TrainingListener recorder = new PrometheusRecorder(file, one::statistics)) {
      one.allReduce(new float[5], ReduceOp.SUM);
      recorder.on(new TrainingEvent.EpochDone(RunSamples.epoch(1)));
      String calls =
          "lockstep_communication_calls_total{algorithm=\"none\",operation=\"all-reduce\",rank=\"0\"}";
      assertTrue(Files.readString(file).contains(calls + " 1.0"), Files.readString(file));
      one.allReduce(new float[5], ReduceOp.SUM);
      one.barrier();
      recorder.on(new TrainingEvent.EpochDone(RunSamples.epoch(2)));
      String text = Files.readString(file);
      assertTrue(text.contains(calls + " 2.0"), text);
      assertTrue(text.contains("operation=\"barrier\""), text);
      assertTrue(text.contains("# TYPE lockstep_communication_payload_bytes_total counter"), text);
    }
  }

  @Test
  void peersAreCountedBothWays() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    CommunicationMetrics metrics = new CommunicationMetrics(registry);
    CommunicationStats.PeerStats own = new CommunicationStats.PeerStats(0, 0, 0, 0, 0, 0);
    CommunicationStats.PeerStats peer = new CommunicationStats.PeerStats(1, 2, 30, 4, 50, 0.5);
    metrics.update(new CommunicationStats(0, List.of(), List.of(own, peer)));
    assertEquals(30, value(registry, "lockstep.communication.peer.sent"));
    assertEquals(50, value(registry, "lockstep.communication.peer.received"));
    assertEquals(0.5, value(registry, "lockstep.communication.peer.waiting"));
    assertEquals(3, registry.getMeters().size(), "a rank is no peer of its own");
  }

  private static double value(SimpleMeterRegistry registry, String name) {
    return registry.get(name).tag("peer", "1").functionCounter().count();
  }
}
