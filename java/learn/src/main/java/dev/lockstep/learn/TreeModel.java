package dev.lockstep.learn;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A random forest or boosted trees. Immutable and thread-safe. */
public final class TreeModel implements LearnedModel {
  static final String FORMAT = "lockstep-trees";
  static final String BOOSTING = "boosting";
  static final String FOREST = "forest";

  private final Document document;
  private final BitSet[][] sets;

  /**
   * The file.
   *
   * @param learner {@code boosting}, or {@code forest}
   * @param classes names, where the target is text
   * @param permutationImportance by feature, how much the share of right classes, or R², falls
   *     where its values are exchanged among rows
   * @param initial the scores before the first tree, one for each output
   * @param trees boosting: of one output after the other, round by round; forest: a leaf has a
   *     value for each output
   */
  @SuppressWarnings("ArrayRecordComponent") // the file's structure, never compared
  record Document(
      String format,
      int version,
      String learner,
      String objective,
      List<String> features,
      List<List<String>> categories,
      List<String> classes,
      long seed,
      Map<String, Double> scores,
      double @Nullable [] permutationImportance,
      double[] initial,
      List<DecisionTree> trees) {}

  TreeModel(Document document) {
    this.document = document;
    sets = document.trees().stream().map(DecisionTree::sets).toArray(BitSet[][]::new);
  }

  static TreeModel parse(String json, String source) {
    Document file = Json.read(json, Document.class, source);
    if (file.version() != 1) {
      throw new LearningException(
          source + " has version " + file.version() + " of " + FORMAT + "; this program reads 1.");
    }
    boolean whole =
        file.features() != null
            && file.categories() != null
            && file.categories().size() == file.features().size()
            && file.classes() != null
            && file.scores() != null
            && isOneOf(file.learner(), List.of(BOOSTING, FOREST))
            && isOneOf(file.objective(), List.of("regression", "binary", "multiclass"))
            && file.initial() != null
            && file.initial().length > 0
            && (file.permutationImportance() == null
                || file.permutationImportance().length == file.features().size())
            && file.trees() != null
            && file.trees().stream()
                .allMatch(
                    tree -> tree != null && tree.isWhole(file.features().size(), leafValues(file)));
    if (!whole) {
      throw new LearningException(source + " is damaged: a tree or a list in it is not whole.");
    }
    return new TreeModel(file);
  }

  private static boolean isOneOf(@Nullable String name, List<String> names) {
    return name != null && names.contains(name);
  }

  private static int leafValues(Document file) {
    return file.learner().equals(FOREST) ? file.initial().length : 1;
  }

  @Override
  public String toJson() {
    return Json.text(document);
  }

  @Override
  public List<String> features() {
    return document.features();
  }

  @Override
  public List<List<String>> categories() {
    return document.categories();
  }

  @Override
  public Map<String, Double> scores() {
    return document.scores();
  }

  /** How many trees there are. */
  public int trees() {
    return document.trees().size();
  }

  private boolean isForest() {
    return document.learner().equals(FOREST);
  }

  private Objective objective() {
    return Objective.valueOf(document.objective().toUpperCase(Locale.ROOT));
  }

  /**
   * {@code prediction}; or {@code probability} of class 1; or {@code class} and its probabilities.
   */
  @Override
  public List<String> outputs() {
    return switch (objective()) {
      case REGRESSION -> List.of("prediction");
      case BINARY -> List.of("probability");
      case MULTICLASS -> {
        List<String> names = new ArrayList<>(List.of("class"));
        for (int k = 0; k < document.initial().length; k++) {
          names.add(
              "probability_"
                  + (k < document.classes().size()
                      ? document.classes().get(k)
                      : Integer.toString(k)));
        }
        yield names;
      }
    };
  }

  /** What {@link #outputs} names, of one row; NaN where a value is missing. */
  public double[] predict(double[] row) {
    requireNonNull(row, "row");
    int width = document.features().size();
    Checks.check(row.length == width, "row: must have " + width + " values, not " + row.length);
    double[] out = new double[outputs().size()];
    predict(row, 1, out);
    return out;
  }

  @Override
  public void predict(double[] rows, int count, double[] out) {
    int width = document.features().size();
    int outputs = document.initial().length;
    double[] scores = new double[outputs];
    for (int i = 0; i < count; i++) {
      addTrees(rows, i * width, scores);
      switch (objective()) {
        case REGRESSION -> out[i] = scores[0];
        case BINARY -> out[i] = isForest() ? scores[0] : 1 / (1 + StrictMath.exp(-scores[0]));
        case MULTICLASS -> {
          if (isForest()) {
            out[i * (outputs + 1)] = largest(scores);
            System.arraycopy(scores, 0, out, i * (outputs + 1) + 1, outputs);
          } else {
            softmax(scores, out, i * (outputs + 1));
          }
        }
      }
    }
  }

  /** The sum of the trees of boosting, the mean of those of a forest. */
  private void addTrees(double[] rows, int from, double[] scores) {
    int outputs = scores.length;
    System.arraycopy(document.initial(), 0, scores, 0, outputs);
    int trees = document.trees().size();
    for (int t = 0; t < trees; t++) {
      DecisionTree tree = document.trees().get(t);
      int leaf = tree.leafOf(rows, from, sets[t]);
      if (!isForest()) {
        scores[t % outputs] += tree.values()[leaf];
        continue;
      }
      for (int k = 0; k < outputs; k++) {
        scores[k] += tree.values()[leaf * outputs + k];
      }
    }
    for (int k = 0; isForest() && k < outputs; k++) {
      scores[k] /= trees;
    }
  }

  private static int largest(double[] scores) {
    int best = 0;
    for (int k = 1; k < scores.length; k++) {
      best = scores[k] > scores[best] ? k : best;
    }
    return best;
  }

  private static void softmax(double[] scores, double[] out, int at) {
    int best = largest(scores);
    double sum = 0;
    for (int k = 0; k < scores.length; k++) {
      out[at + 1 + k] = StrictMath.exp(scores[k] - scores[best]);
      sum += out[at + 1 + k];
    }
    out[at] = best;
    for (int k = 0; k < scores.length; k++) {
      out[at + 1 + k] /= sum;
    }
  }

  /** Of each feature, its share of the gain of all splits; NaN where nothing was split. */
  public Map<String, Double> importance() {
    double[] gains = new double[document.features().size()];
    double sum = 0;
    for (DecisionTree tree : document.trees()) {
      for (int i = 0; i < tree.feature().length; i++) {
        gains[tree.feature()[i]] += tree.gain()[i];
        sum += tree.gain()[i];
      }
    }
    Map<String, Double> importance = new LinkedHashMap<>();
    for (int i = 0; i < gains.length; i++) {
      importance.put(document.features().get(i), gains[i] / sum);
    }
    return importance;
  }

  /**
   * Of each feature, how much the share of right classes, or R², falls where its values are
   * exchanged among rows; empty where {@code permutation_sample} was 0.
   */
  public Map<String, Double> permutationImportance() {
    double[] falls = document.permutationImportance();
    Map<String, Double> importance = new LinkedHashMap<>();
    for (int i = 0; falls != null && i < falls.length; i++) {
      importance.put(document.features().get(i), falls[i]);
    }
    return importance;
  }
}
