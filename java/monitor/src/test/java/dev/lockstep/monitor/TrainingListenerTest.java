package dev.lockstep.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.lockstep.comm.RankContext;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

class TrainingListenerTest {
  private final List<String> heard = new ArrayList<>();

  @Test
  void passesEveryCallToEachMemberInOrder() {
    try (TrainingListener both =
        TrainingListener.all(List.of(new Listener("a"), new Listener("b")))) {
      both.on(new TrainingEvent.Started(RunSamples.start(1)));
      both.on(new TrainingEvent.StepDone(1, 2, 2, 0));
      both.on(new TrainingEvent.EpochDone(RunSamples.epoch(1)));
      both.on(new TrainingEvent.Finished(RunSamples.summary(), List.of()));
    }
    assertEquals(
        List.of(
            "a Started",
            "b Started",
            "a StepDone",
            "b StepDone",
            "a EpochDone",
            "b EpochDone",
            "a Finished",
            "b Finished",
            "a close",
            "b close"),
        heard);
  }

  @Test
  void oneThatThrowsKeepsNothingFromTheOthersButForbidsTheStart() {
    Listener failing =
        new Listener("a") {
          @Override
          public void on(TrainingEvent event) {
            throw new IllegalStateException("a");
          }
        };
    TrainingListener both = TrainingListener.all(List.of(failing, new Listener("b")));

    both.on(new TrainingEvent.StepDone(1, 1, 1, 0));
    both.on(new TrainingEvent.StepDone(1, 2, 2, 0));

    assertEquals(List.of("b StepDone", "b StepDone"), heard);
    assertThrows(
        IllegalStateException.class, () -> both.on(new TrainingEvent.Started(RunSamples.start(1))));
  }

  @Test
  void closesAllThoughOneFails() {
    TrainingListener failing =
        new Listener("a") {
          @Override
          public void close() {
            throw new IllegalStateException("a");
          }
        };
    TrainingListener both = TrainingListener.all(List.of(failing, failing, new Listener("b")));

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

  private class Listener implements TrainingListener {
    private final String name;

    Listener(String name) {
      this.name = name;
    }

    @Override
    public void on(TrainingEvent event) {
      heard.add(name + " " + event.getClass().getSimpleName());
    }

    @Override
    public void close() {
      heard.add(name + " close");
    }
  }
}
