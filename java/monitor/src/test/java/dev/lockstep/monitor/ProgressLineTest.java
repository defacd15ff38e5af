package dev.lockstep.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressLineTest {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final AtomicInteger columns = new AtomicInteger(100);

  private ProgressLine line() {
    PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
    return new ProgressLine(out, "heat-flux", 500, 0, columns::get);
  }

  /** What stands between two returns to the first column, without control sequences. */
  private int widestBar() {
    int widest = 0;
    for (String drawn : printed.toString(StandardCharsets.UTF_8).split("[\r\n]")) {
      widest = Math.max(widest, drawn.replaceAll("\033\\[[0-9]*[A-Z]", "").length());
    }
    return widest;
  }

  @Test
  void theBarUsesTheTerminalsWidthAndFollowsItsChanges() {
    try (ProgressLine line = line()) {
      line.stepTo(1);
      line.println("first");
      assertEquals(99, widestBar());
      columns.set(50);
      line.stepTo(2);
      line.println("second"); // erases what was drawn for 100 columns, and draws below
      printed.reset();
      line.stepTo(3);
      line.println("third");
      assertEquals(49, widestBar());
      columns.set(120);
      line.stepTo(4);
      line.println("fourth");
      assertEquals(119, widestBar());
    }
  }

  @Test
  void nothingOfAWiderBarStaysBehindANarrowerOne() {
    try (ProgressLine line = line()) {
      line.println("first");
      columns.set(50);
      printed.reset();
      line.println("second");
    }
    String text = printed.toString(StandardCharsets.UTF_8);
    assertTrue(text.startsWith("\r\033[J\rsecond"), text.replace('\033', 'E'));
    assertTrue(text.endsWith("\r\033[J\r"), text.replace('\033', 'E'));
  }

  @ParameterizedTest
  @CsvSource({"24 80, 80", "'50 211\n', 211", "0 0, 80", "'', 80", "stty: no terminal, 80"})
  void theWidthIsWhatSttySays(String answer, int expected) {
    assertEquals(expected, Terminal.columnsOf(answer));
  }
}
