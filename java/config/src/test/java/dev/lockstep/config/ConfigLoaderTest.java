package dev.lockstep.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigLoaderTest {
  enum Shape {
    ROUND,
    VERY_SQUARE
  }

  record Column(String variable, double period) {
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static Column of(String variable) {
      return new Column(variable, 0);
    }

    @JsonCreator
    static Column of(
        @JsonProperty("variable") String variable,
        @JsonProperty("period") @Nullable Double period) {
      return new Column(variable, period == null ? 0 : period);
    }
  }

  record Stopping(int patience) {}

  record Training(
      @Nullable Integer epochs,
      @Nullable Double learningRate,
      @Nullable Shape shape,
      @Nullable Stopping earlyStopping) {
    Training {
      epochs = epochs == null ? 30 : epochs;
      learningRate = learningRate == null ? 1e-3 : learningRate;
      shape = shape == null ? Shape.ROUND : shape;
      if (epochs < 1) {
        throw new ConfigKeyException("epochs", "must be at least 1, not " + epochs + ".");
      }
    }
  }

  record Model(@Nullable List<Integer> hidden, @Nullable List<Column> columns) {
    Model {
      hidden = hidden == null ? List.of(128, 128) : hidden;
      columns = columns == null ? List.of() : columns;
      if (hidden.contains(0)) {
        throw new ConfigKeyException("hidden", "a layer has no units");
      }
    }
  }

  record Job(String name, boolean plots, Training training, Model model) {}

  private static Job parse(String text, String... overrides) {
    return ConfigLoader.parse(Job.class, "job.yaml", text, List.of(overrides));
  }

  private static String refusal(String text, String... overrides) {
    return assertThrows(ConfigException.class, () -> parse(text, overrides)).getMessage();
  }

  @Test
  void absentKeysAndSectionsTakeTheirDefaults() {
    Job job = parse("name: a\n");
    assertEquals(new Training(30, 1e-3, Shape.ROUND, null), job.training());
    assertEquals(List.of(128, 128), job.model().hidden());
  }

  @Test
  void readsEveryKindOfValue() {
    Job job =
        parse(
            """
            name: "7"
            plots: true
            training: {epochs: 3, learning_rate: 1e-2, shape: very_square, early_stopping: {patience: 4}}
            model:
              hidden: [8]
              columns: [SST, {variable: TIME, period: 12}]
            """);
    assertEquals(
        new Job(
            "7",
            true,
            new Training(3, 0.01, Shape.VERY_SQUARE, new Stopping(4)),
            new Model(List.of(8), List.of(new Column("SST", 0), new Column("TIME", 12)))),
        job);
  }

  @Test
  void unknownKeyIsRefusedWithTheNearestOneOfItsSection() {
    assertEquals(
        "job.yaml:3: unknown key \"model.hiden\"; the nearest valid key is \"model.hidden\"",
        refusal("name: a\nmodel:\n  hiden: [8]\n"));
  }

  @Test
  void keyInTheWrongSectionIsFoundInItsOwn() {
    assertEquals(
        "job.yaml:3: unknown key \"model.learning_rate\"; the nearest valid key is"
            + " \"training.learning_rate\"",
        refusal("name: a\nmodel:\n  learning_rate: 0.1\n"));
  }

  @Test
  void severalProblemsAreReportedTogetherInTheOrderOfTheFile() {
    assertEquals(
        """
        job.yaml:2: unknown key "modle"; the nearest valid key is "model"
        job.yaml:5: "training.epochs" must be a whole number, not "ten"
        job.yaml:6: "training.shape" must be one of round, very_square, not "oval\"""",
        refusal("name: a\nmodle:\n  hidden: [1]\ntraining:\n  epochs: ten\n  shape: oval\n"));
  }

  @Test
  void valuesThatRecordsRefuseArePlacedAtTheirKeys() {
    assertEquals(
        """
        job.yaml:3: training.epochs: must be at least 1, not 0.
        job.yaml:5: model.hidden: a layer has no units""",
        refusal("name: a\ntraining:\n  epochs: 0\nmodel:\n  hidden: [0]\n"));
  }

  @Test
  void duplicateKeysAreRefusedWithBothLines() {
    assertEquals(
        "job.yaml:4: \"training.epochs\" is already set at job.yaml:3; keep one",
        refusal("name: a\ntraining:\n  epochs: 1\n  epochs: 2\n"));
  }

  @Test
  void syntaxErrorsNameTheLine() {
    String message = refusal("name: a\ntraining: [1,\nmodel: }\n");
    assertEquals("job.yaml:3: not valid YAML: ", message.substring(0, 28));
  }

  @Test
  void overridesReplaceAndAddKeysByYamlRules() {
    Job job =
        parse(
            "name: a\ntraining: {epochs: 3}\n",
            "training.epochs=5",
            "model.hidden=[16, 16]",
            "training.early_stopping.patience=2",
            "training.learning_rate=1e-4");
    assertEquals(new Training(5, 1e-4, Shape.ROUND, new Stopping(2)), job.training());
    assertEquals(List.of(16, 16), job.model().hidden());
  }

  @Test
  void wrongOverridesNameThemselves() {
    assertEquals(
        """
        --set epochs: expected key=value, as in --set training.epochs=5
        --set training.epoch=5: unknown key "training.epoch"; the nearest valid key is "training.epochs\"""",
        refusal("name: a\n", "epochs", "training.epoch=5"));
    assertEquals(
        "--set training.epochs=-1: training.epochs: must be at least 1, not -1.",
        refusal("name: a\n", "training.epochs=-1"));
  }

  @Test
  void resolvedYamlReadsBackEqual(@TempDir Path folder) throws Exception {
    Job job = parse("name: '1e5'\nmodel: {columns: [SST]}\ntraining: {shape: VERY_SQUARE}\n");
    Path file = folder.resolve("config.yaml");
    Files.writeString(file, ConfigLoader.toYaml(job));
    assertEquals(job, ConfigLoader.load(Job.class, file, List.of()));
  }

  @Test
  void missingFileIsNamed(@TempDir Path folder) {
    Path file = folder.resolve("none.yaml");
    ConfigException refused =
        assertThrows(ConfigException.class, () -> ConfigLoader.load(Job.class, file, List.of()));
    assertEquals(file + ": no such file", refused.getMessage());
  }

  private static String refusalOf(Path folder, byte[] bytes) throws Exception {
    Path file = Files.write(folder.resolve("job.yaml"), bytes);
    return assertThrows(ConfigException.class, () -> ConfigLoader.load(Job.class, file, List.of()))
        .getMessage()
        .replace(folder + "/", "");
  }

  @Test
  void otherEncodingsAreNamedWithTheLine(@TempDir Path folder) throws Exception {
    String text = "name: a\nmodel:\n  columns: [Wärme]\n";
    assertEquals(
        "job.yaml:3: holds the byte 0xE4, which is not UTF-8 (Latin-1, perhaps); save it as UTF-8",
        refusalOf(folder, text.getBytes(StandardCharsets.ISO_8859_1)));
    for (Charset utf16 : List.of(StandardCharsets.UTF_16, StandardCharsets.UTF_16LE)) {
      assertEquals(
          "job.yaml: is UTF-16; save it as UTF-8", refusalOf(folder, text.getBytes(utf16)));
    }
  }

  @Test
  void aByteOrderMarkIsNoPartOfTheFirstKey(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("job.yaml"), "\uFEFFname: a\n");
    assertEquals("a", ConfigLoader.load(Job.class, file, List.of()).name());
  }

  @Test
  void aTabInTheIndentationIsNamedByItsLine() {
    assertEquals(
        "job.yaml:3: a tab in the indentation; YAML takes spaces only",
        refusal("name: a\ntraining:\n\tepochs: 3\nmodel: {}\n"));
  }

  @Test
  void anEmptyElementOfAListIsRefused() {
    assertEquals(
        "job.yaml:2: \"model.hidden\" has an empty element; write a value or remove it",
        refusal("name: a\nmodel: {hidden: [64, null]}\n"));
  }

  @Test
  void anotherKindOfFileIsOneLine() {
    assertEquals(
        "job.yaml:1: this is another kind of file: of its keys network, algorithm none is known here;"
            + " known are name, plots, training, model",
        refusal("network: {}\nalgorithm: {gamma: 0.9}\n"));
  }
}
