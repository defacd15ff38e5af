package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.TableFile;
import dev.lockstep.data.csv.CsvRows;
import java.io.IOException;
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

/** Reads this rank's rows of a data file; collective where columns hold text. */
public final class TableReader {
  private static final int BLOCK_ROWS = 1024;
  private static final Set<String> MISSING = Set.of("", "na", "nan", "null");

  private final FitDataConfig config;
  private final @Nullable Communicator ranks;
  private final @Nullable LearnedModel model;
  private final int rank;
  private final int size;

  private TableReader(
      FitDataConfig config, @Nullable Communicator ranks, @Nullable LearnedModel model) {
    this.config = config;
    this.ranks = ranks;
    this.model = model;
    rank = ranks == null ? 0 : ranks.rank();
    size = ranks == null ? 1 : ranks.size();
  }

  /**
   * The rows of this rank.
   *
   * @return the table, closed by the caller
   * @throws LearningException if the file cannot be read or lacks a column
   */
  public static Table read(FitDataConfig config, Communicator ranks) {
    return new TableReader(config, ranks, null).read();
  }

  /**
   * The features of a model from a file, all rows of it; texts that the model does not know are
   * missing values.
   *
   * @throws LearningException if the file cannot be read or lacks a column
   */
  public static Table forModel(Path path, LearnedModel model) {
    FitDataConfig config =
        new FitDataConfig(
            path.toString(),
            Format.AUTO,
            null,
            model.features(),
            null,
            null,
            List.of(),
            FitDataConfig.Ownership.LOCAL,
            0);
    return new TableReader(config, null, model).read();
  }

  private Table read() {
    String path = config.pathOf(rank);
    return isText(path) ? readCsv(Path.of(path)) : readArrays(Path.of(path));
  }

  private boolean isText(String path) {
    String name = path.toLowerCase(Locale.ROOT);
    return switch (config.format()) {
      case CSV -> true;
      case AUTO -> name.endsWith(".csv") || name.endsWith(".txt");
      default -> false;
    };
  }

  private List<String> featuresAmong(List<String> all) {
    return all.stream()
        .filter(name -> !name.equals(config.target()) && !name.equals(config.weight()))
        .toList();
  }

  private Table readArrays(Path path) {
    String labels = config.labels();
    try (TableFile file = TableFile.open(path, config.format());
        TableFile second =
            labels == null ? null : TableFile.open(Path.of(labels), config.format())) {
      List<String> features =
          config.features().isEmpty()
              ? featuresAmong(file.columns())
              : config.features().stream().flatMap(name -> file.named(name).stream()).toList();
      long begin = 0;
      long end = file.rows();
      if (second != null && second.rows() != end) {
        throw failure(Objects.requireNonNull(labels), "has " + second.rows() + " rows, not " + end);
      }
      if (config.ownership() == FitDataConfig.Ownership.DEAL) {
        begin = file.rows() * rank / size;
        end = file.rows() * (rank + 1) / size;
      }
      List<List<String>> categories =
          features.stream()
              .map(name -> config.categorical().contains(name) ? CODES : List.<String>of())
              .toList();
      Table table =
          Table.allocate(
              features,
              categories,
              List.of(),
              end - begin,
              config.target() != null,
              config.weight() != null);
      copy(file, features, begin, end, table.values());
      if (config.target() != null) {
        TableFile from = second == null ? file : second;
        copy(from, from.named(config.target()), begin, end, table.target());
      }
      if (config.weight() != null) {
        copy(file, file.named(config.weight()), begin, end, table.weights());
      }
      return table;
    }
  }

  /** Stands for categories that are whole numbers from 0 on and have no texts. */
  static final List<String> CODES = List.of("");

  private static void copy(
      TableFile file, List<String> names, long begin, long end, java.nio.DoubleBuffer out) {
    double[] block = new double[BLOCK_ROWS * names.size()];
    for (long from = begin; from < end; from += BLOCK_ROWS) {
      int count = (int) Math.min(BLOCK_ROWS, end - from);
      file.read(names, from, count, block);
      out.put(block, 0, count * names.size());
    }
  }

  /** The columns of a CSV file that a table has: where they lie, and what they hold. */
  private record CsvColumns(List<String> names, int[] places, boolean[] isText) {}

  private interface RowVisitor {
    void visit(List<String> fields);
  }

  /**
   * Two passes: the first finds which columns hold text, on any rank, so that the second knows from
   * its first row on; a column's categories are all ranks' texts in order, so that a code does not
   * depend on where a row lies.
   */
  private Table readCsv(Path path) {
    List<String> header = new ArrayList<>();
    CsvColumns[] columns = new CsvColumns[1];
    long[] count = new long[1];
    scan(
        path,
        header,
        fields -> {
          if (columns[0] == null) {
            columns[0] = columns(header, path.toString());
          }
          count[0]++;
          for (int i = 0; i < columns[0].places.length; i++) {
            columns[0].isText[i] |= Double.isInfinite(number(fields.get(columns[0].places[i])));
          }
        });
    CsvColumns found = columns[0] == null ? columns(header, path.toString()) : columns[0];
    agreeOnText(found, path.toString());
    List<Map<String, Integer>> codes = codes(path, header, found);
    Table table = allocate(found, codes, count[0]);
    java.nio.DoubleBuffer values = table.values();
    java.nio.DoubleBuffer target = table.target();
    java.nio.DoubleBuffer weights = table.weights();
    int features = table.names().size();
    scan(
        path,
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

  private void scan(Path path, List<String> header, RowVisitor visitor) {
    String location = path.toString();
    try (CsvRows rows = CsvRows.open(path)) {
      List<String> fields = rows.next();
      if (fields == null || (fields.size() == 1 && fields.get(0).isBlank())) {
        throw failure(location, "is empty; a CSV file starts with a line of column names");
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
              location,
              String.format(
                  Locale.ROOT,
                  "line %d has %d fields where the header names %d columns",
                  rows.line(),
                  fields.size(),
                  header.size()));
        }
        boolean mine =
            config.ownership() == FitDataConfig.Ownership.LOCAL || row / BLOCK_ROWS % size == rank;
        if (mine) {
          visitor.visit(fields);
        }
        row++;
      }
    } catch (IOException e) {
      throw failure(
          location, Files.exists(path) ? "cannot be read: " + e.getMessage() : "does not exist", e);
    }
  }

  private CsvColumns columns(List<String> header, String location) {
    List<String> names = new ArrayList<>(config.features());
    if (names.isEmpty()) {
      names.addAll(featuresAmong(header));
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
        throw failure(
            location, "has no column " + names.get(i) + "; it has " + String.join(", ", header));
      }
    }
    return new CsvColumns(names, places, new boolean[places.length]);
  }

  private void agreeOnText(CsvColumns columns, String location) {
    if (model != null) {
      for (int i = 0; i < columns.isText.length; i++) {
        List<String> texts = model.categories().get(i);
        columns.isText[i] = !texts.isEmpty() && !texts.equals(CODES);
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
        throw failure(
            location, "column " + config.weight() + " holds text where it must hold weights");
      }
    }
  }

  /** Of each column of text, the number of each text; empty for numbers. Collective. */
  private List<Map<String, Integer>> codes(Path path, List<String> header, CsvColumns columns) {
    if (model != null) {
      return model.categories().stream().map(TableReader::numbered).toList();
    }
    List<TreeSet<String>> texts = new ArrayList<>();
    boolean any = false;
    for (boolean isText : columns.isText) {
      texts.add(new TreeSet<>());
      any |= isText;
    }
    if (any) {
      scan(
          path,
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

  private Table allocate(CsvColumns columns, List<Map<String, Integer>> codes, long rows) {
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

  private static LearningException failure(String location, String problem) {
    return new LearningException(location + " " + problem);
  }

  private static LearningException failure(String location, String problem, Throwable cause) {
    return new LearningException(location + " " + problem, cause);
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
