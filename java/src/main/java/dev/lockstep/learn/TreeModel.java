package dev.lockstep.learn;

import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Boosted trees. Immutable and thread-safe. */
public final class TreeModel implements LearnedModel {
  static final String FORMAT = "lockstep-trees";

  private final Document document;
  private final BitSet[][] sets;

  /**
   * The file.
   *
   * @param classes names, where the target is text
   * @param initial the scores before the first tree, one for each output
   * @param trees of one output after the other, round by round
   */
  @SuppressWarnings("ArrayRecordComponent") // the file's structure, never compared
  record Document(
      String format,
      int version,
      String objective,
      List<String> features,
      List<List<String>> categories,
      List<String> classes,
      long seed,
      Map<String, Double> scores,
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
            && file.objective() != null
            && file.initial() != null
            && file.initial().length > 0
            && file.trees() != null
            && file.trees().stream()
                .allMatch(tree -> tree != null && tree.isWhole(file.features().size()));
    if (!whole) {
      throw new LearningException(source + " is damaged: a tree or a list in it is not whole.");
    }
    return new TreeModel(file);
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

  private Boosting.Objective objective() {
    return Boosting.Objective.valueOf(document.objective().toUpperCase(Locale.ROOT));
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
        List<String> names = new java.util.ArrayList<>(List.of("class"));
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

  @Override
  public void predict(double[] rows, int count, double[] out) {
    int width = document.features().size();
    int outputs = document.initial().length;
    double[] scores = new double[outputs];
    for (int i = 0; i < count; i++) {
      System.arraycopy(document.initial(), 0, scores, 0, outputs);
      for (int t = 0; t < document.trees().size(); t++) {
        DecisionTree tree = document.trees().get(t);
        scores[t % outputs] += tree.values()[tree.leafOf(rows, i * width, sets[t])];
      }
      switch (objective()) {
        case REGRESSION -> out[i] = scores[0];
        case BINARY -> out[i] = 1 / (1 + StrictMath.exp(-scores[0]));
        case MULTICLASS -> softmax(scores, out, i * (outputs + 1));
      }
    }
  }

  private static void softmax(double[] scores, double[] out, int at) {
    int best = 0;
    for (int k = 1; k < scores.length; k++) {
      best = scores[k] > scores[best] ? k : best;
    }
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
}
