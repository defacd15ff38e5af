package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.csv.CsvRows;
import java.io.IOException;
import java.nio.DoubleBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads this rank's rows of a CSV file whose columns hold numbers or texts. */
final class CsvTableReader {
  private static final Set<String> MISSING = Set.of("", "na", "nan", "null");

  private final FitDataConfig config;
  private final @Nullable Communicator ranks;
  private final @Nullable LearnedModel model;
  private final Path path;
  private final int rank;
  private final int size;

  /**
   * A reader for one file.
   *
   * @param ranks those that agree on texts; null for a model, which knows them
   */
  CsvTableReader(
      FitDataConfig config, @Nullable Communicator ranks, @Nullable LearnedModel model, Path path) {
    this.config = config;
    this.ranks = ranks;
    this.model = model;
    this.path = path;
    rank = ranks == null ? 0 : ranks.rank();
    size = ranks == null ? 1 : ranks.size();
  }

  /** The columns of a CSV file that a table has: where they lie, and what they hold. */
  private record Columns(List<String> names, int[] places, boolean[] isText) {}

  private interface RowVisitor {
    void visit(List<String> fields);
  }

  /**
   * Two passes: the first finds which columns hold text, on any rank, so that the second knows from
   * its first row on; a column's categories are all ranks' texts in order, so that a code does not
   * depend on where a row lies.
   */
  Table read() {
    List<String> header = new ArrayList<>();
    Columns[] columns = new Columns[1];
    long[] count = new long[1];
    scan(
        header,
        fields -> {
          if (columns[0] == null) {
            columns[0] = columns(header);
          }
          count[0]++;
          for (int i = 0; i < columns[0].places.length; i++) {
            columns[0].isText[i] |= Double.isInfinite(number(fields.get(columns[0].places[i])));
          }
        });
    Columns found = columns[0] == null ? columns(header) : columns[0];
    agreeOnText(found);
    List<Map<String, Integer>> codes = codes(header, found);
    Table table = allocate(found, codes, count[0]);
    DoubleBuffer values = table.values();
    DoubleBuffer target = table.target();
    DoubleBuffer weights = table.weights();
    int features = table.names().size();
    scan(
        header,
        fields -> {
          for (int i = 0; i < found.places.length; i++) {
            String text = fields.get(found.places[i]).strip();
            double value = found.isText[i] ? code(text, codes.get(i)) : number(text);
            if (i < features) {
              values.put(value);
            } else if (i == features && config.target() != null) {
              target.put(value);
            } else {
              weights.put(value);
            }
          }
        });
    return table;
  }

  private void scan(List<String> header, RowVisitor visitor) {
    try (CsvRows rows = CsvRows.open(path)) {
      List<String> fields = rows.next();
      if (fields == null || (fields.size() == 1 && fields.get(0).isBlank())) {
        throw failure("is empty; a CSV file starts with a line of column names");
      }
      header.clear();
      fields.forEach(name -> header.add(name.strip()));
      long row = 0;
      while ((fields = rows.next()) != null) {
        if (fields.size() == 1 && fields.get(0).isBlank() && header.size() > 1) {
          continue;
        }
        if (fields.size() != header.size()) {
          throw failure(
              String.format(
                  Locale.ROOT,
                  "line %d has %d fields where the header names %d columns",
                  rows.line(),
                  fields.size(),
                  header.size()));
        }
        boolean mine =
            config.ownership() == FitDataConfig.Ownership.LOCAL
                || row / TableReader.BLOCK_ROWS % size == rank;
        if (mine) {
          visitor.visit(fields);
        }
        row++;
      }
    } catch (IOException e) {
      throw failure(Files.exists(path) ? "cannot be read: " + e.getMessage() : "does not exist", e);
    }
  }

  private Columns columns(List<String> header) {
    List<String> names = new ArrayList<>(config.features());
    if (names.isEmpty()) {
      names.addAll(config.featuresAmong(header));
    }
    if (config.target() != null) {
      names.add(config.target());
    }
    if (config.weight() != null) {
      names.add(config.weight());
    }
    int[] places = new int[names.size()];
    for (int i = 0; i < places.length; i++) {
      places[i] = header.indexOf(names.get(i));
      if (places[i] < 0) {
        throw failure("has no column " + names.get(i) + "; it has " + String.join(", ", header));
      }
    }
    return new Columns(names, places, new boolean[places.length]);
  }

  private void agreeOnText(Columns columns) {
    if (model != null) {
      for (int i = 0; i < columns.isText.length; i++) {
        List<String> texts = model.categories().get(i);
        columns.isText[i] = !texts.isEmpty() && !texts.equals(TableReader.CODES);
      }
      return;
    }
    long[] isText = new long[columns.isText.length];
    for (int i = 0; i < isText.length; i++) {
      isText[i] = columns.isText[i] || config.categorical().contains(columns.names.get(i)) ? 1 : 0;
    }
    isText = Objects.requireNonNull(ranks).allReduce(isText, ReduceOp.MAX);
    for (int i = 0; i < isText.length; i++) {
      columns.isText[i] = isText[i] != 0;
      if (columns.isText[i] && columns.names.get(i).equals(config.weight())) {
        throw failure("column " + config.weight() + " holds text where it must hold weights");
      }
    }
  }

  /** Of each column of text, the number of each text; empty for numbers. Collective. */
  private List<Map<String, Integer>> codes(List<String> header, Columns columns) {
    if (model != null) {
      return model.categories().stream().map(CsvTableReader::numbered).toList();
    }
    List<TreeSet<String>> texts = new ArrayList<>();
    boolean any = false;
    for (boolean isText : columns.isText) {
      texts.add(new TreeSet<>());
      any |= isText;
    }
    if (any) {
      scan(
          header,
          fields -> {
            for (int i = 0; i < columns.places.length; i++) {
              String text = columns.isText[i] ? fields.get(columns.places[i]).strip() : "";
              if (!isMissing(text)) {
                texts.get(i).add(text);
              }
            }
          });
    }
    List<Map<String, Integer>> codes = new ArrayList<>();
    for (int i = 0; i < columns.isText.length; i++) {
      TreeSet<String> all = new TreeSet<>();
      if (columns.isText[i]) {
        // Texts hold no byte 0 in files that anybody writes; as a separator it needs no quoting.
        byte[] own = String.join("\0", texts.get(i)).getBytes(StandardCharsets.UTF_8);
        for (byte[] ofRank : Objects.requireNonNull(ranks).allGather(own)) {
          if (ofRank.length > 0) {
            all.addAll(List.of(new String(ofRank, StandardCharsets.UTF_8).split("\0")));
          }
        }
      }
      codes.add(numbered(all));
    }
    return codes;
  }

  private static Map<String, Integer> numbered(Collection<String> texts) {
    Map<String, Integer> code = new LinkedHashMap<>();
    texts.forEach(text -> code.put(text, code.size()));
    return code;
  }

  private Table allocate(Columns columns, List<Map<String, Integer>> codes, long rows) {
    int features =
        columns.names.size()
            - (config.target() == null ? 0 : 1)
            - (config.weight() == null ? 0 : 1);
    List<List<String>> categories = new ArrayList<>();
    codes.forEach(code -> categories.add(List.copyOf(code.keySet())));
    List<String> classes = config.target() == null ? List.of() : categories.get(features);
    return Table.allocate(
        columns.names.subList(0, features),
        categories.subList(0, features),
        classes,
        rows,
        config.target() != null,
        config.weight() != null);
  }

  private LearningException failure(String problem) {
    return new LearningException(path + " " + problem);
  }

  private LearningException failure(String problem, Throwable cause) {
    return new LearningException(path + " " + problem, cause);
  }

  private static boolean isMissing(String text) {
    return text.length() <= 4 && MISSING.contains(text.toLowerCase(Locale.ROOT));
  }

  private static double code(String text, Map<String, Integer> codes) {
    Integer code = codes.get(text);
    return code == null ? Double.NaN : code;
  }

  /**
   * NaN where missing; infinity marks what is no number. "Infinity" itself is read as the largest
   * number.
   */
  private static double number(String field) {
    String text = field.strip();
    if (isMissing(text)) {
      return Double.NaN;
    }
    try {
      char last = text.charAt(text.length() - 1);
      if (Character.isDigit(last) || last == '.') {
        return Math.max(-Double.MAX_VALUE, Math.min(Double.MAX_VALUE, Double.parseDouble(text)));
      }
      if (text.endsWith("Infinity")
          || text.equalsIgnoreCase("inf")
          || text.equalsIgnoreCase("-inf")) {
        return text.startsWith("-") ? -Double.MAX_VALUE : Double.MAX_VALUE;
      }
    } catch (NumberFormatException e) {
      // Then it is text.
    }
    return Double.POSITIVE_INFINITY;
  }
}
