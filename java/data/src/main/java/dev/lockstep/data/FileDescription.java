package dev.lockstep.data;

import dev.lockstep.data.ArrayFile.Unreadable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a data file holds.
 *
 * @param location the file
 * @param format its format, for people
 * @param variables one summary for each variable that can be used, in the file's order
 * @param unreadable what else is in the file, with the reasons
 */
public record FileDescription(
    String location, String format, List<Summary> variables, List<Unreadable> unreadable) {

  /**
   * One variable and the range of its values, after scale and offset.
   *
   * @param variable name, type, dimensions and attributes
   * @param missing how many of its values are missing
   * @param min the smallest value; NaN if all are missing
   * @param max the largest value; NaN if all are missing
   */
  public record Summary(Variable variable, long missing, double min, double max) {
    /** Its units; empty if the file states none. */
    public String units() {
      return text("units");
    }

    /** For times of the CF conventions the first and the last one, with the calendar. */
    public Optional<String> timeRange() {
      String calendar = text("calendar");
      Optional<String> first = CfTime.format(min, units(), calendar);
      Optional<String> last = CfTime.format(max, units(), calendar);
      return first.flatMap(
          from ->
              last.map(
                  to ->
                      from
                          + " to "
                          + to
                          + (calendar.isEmpty() ? "" : " (calendar " + calendar + ")")));
    }

    private String text(String attribute) {
      return variable.attributes().get(attribute) instanceof String text ? text : "";
    }
  }

  /** Copies the lists. */
  public FileDescription {
    variables = List.copyOf(variables);
    unreadable = List.copyOf(unreadable);
  }

  /** Reads all values; a variable that fails while it is read counts among the unreadable. */
  static FileDescription of(ArrayFile file) {
    List<Summary> summaries = new ArrayList<>();
    List<Unreadable> unreadable = new ArrayList<>(file.unreadable());
    for (Variable variable : file.variables()) {
      try {
        summaries.add(summarize(file, variable));
      } catch (DataException e) {
        unreadable.add(
            new Unreadable(variable.name(), variable.type(), variable.dimensions(), e.problem()));
      }
    }
    return new FileDescription(file.location(), file.format(), summaries, unreadable);
  }

  private static Summary summarize(ArrayFile file, Variable variable) {
    double[] values = new double[file.blockLength(variable)];
    long size = variable.size();
    long missing = 0;
    double min = Double.NaN;
    double max = Double.NaN;
    for (long from = 0; from < size; from += values.length) {
      int count = (int) Math.min(values.length, size - from);
      file.read(variable, from, count, values);
      for (int i = 0; i < count; i++) {
        double value = values[i];
        missing += Double.isNaN(value) ? 1 : 0;
        // Written so that a NaN, as bound or as value, never wins.
        min = value < min || Double.isNaN(min) ? value : min;
        max = value > max || Double.isNaN(max) ? value : max;
      }
    }
    return new Summary(variable, missing, min, max);
  }
}
