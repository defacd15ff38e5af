package dev.lockstep.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

class RunRecorderTest {
  private final List<String> heard = new ArrayList<>();

  @Test
  void passesEveryCallToEachMemberInOrder() {
    try (RunRecorder both = RunRecorder.all(List.of(new Listener("a"), new Listener("b")))) {
      both.started(RunSamples.start(1));
      both.stepFinished(1, 2);
      both.epochFinished(RunSamples.epoch(1));
      both.finished(RunSamples.summary(), List.of());
    }
    assertEquals(
        List.of(
            "a start", "b start", "a step", "b step", "a epoch", "b epoch", "a end", "b end",
            "a close", "b close"),
        heard);
  }

  @Test
  void closesAllThoughOneFails() {
    RunRecorder failing =
        new Listener("a") {
          @Override
          public void close() {
            throw new IllegalStateException("a");
          }
        };
    RunRecorder both = RunRecorder.all(List.of(failing, failing, new Listener("b")));

    IllegalStateException e = assertThrows(IllegalStateException.class, both::close);

    assertEquals(1, e.getSuppressed().length);
    assertEquals(List.of("b close"), heard);
  }

  @Test
  void takesDefaultsForWhatAFileLeavesOut() throws JsonProcessingException {
    YAMLMapper mapper =
        YAMLMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();
    OutputConfig some = mapper.readValue("progress: plain", OutputConfig.class);

    assertEquals(new OutputConfig("runs", true, true, OutputConfig.Progress.PLAIN), some);
    assertEquals(some, mapper.readValue(mapper.writeValueAsString(some), OutputConfig.class));
    for (String wrong : new String[] {"folder: ''", "progress: loud", "plot: true"}) {
      assertThrows(JsonMappingException.class, () -> mapper.readValue(wrong, OutputConfig.class));
    }
  }

  @Test
  void marksTheLogWithTheRank() {
    try (MDC.MDCCloseable mark = RankContext.enter(3)) {
      assertEquals("3", MDC.get("rank"));
      assertTrue(mark != null);
    }
    assertNull(MDC.get("rank"));
  }

  private class Listener implements RunRecorder {
    private final String name;

    Listener(String name) {
      this.name = name;
    }

    @Override
    public void started(RunStart start) {
      heard.add(name + " start");
    }

    @Override
    public void stepFinished(int epoch, int step) {
      heard.add(name + " step");
    }

    @Override
    public void epochFinished(EpochRecord epoch) {
      heard.add(name + " epoch");
    }

    @Override
    public void finished(RunSummary summary, List<TargetPredictions> predictions) {
      heard.add(name + " end");
    }

    @Override
    public void close() {
      heard.add(name + " close");
    }
  }
}
