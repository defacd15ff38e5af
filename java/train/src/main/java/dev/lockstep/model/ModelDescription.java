package dev.lockstep.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.data.field.FieldRecipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * What a model file of Lockstep says about itself, as JSON in its entry {@value
 * PhysicalModel#DESCRIPTION_ENTRY}: which columns go in and come out, and how the former come from
 * a data file.
 *
 * @param features the model's input columns, in order
 * @param targets its output columns, in order; a classifier of points has one, and as many outputs
 *     as classes
 * @param recipe the variables of a data file, and functions of them, that give the features; a
 *     variable with several columns stands for all of them
 * @param units of the features' and targets' variables, where their file told them
 * @param fields how samples of fields come from a file and outputs go to one; null for points
 */
public record ModelDescription(
    List<String> features,
    List<String> targets,
    List<FeatureConfig> recipe,
    Map<String, String> units,
    @Nullable FieldRecipe fields) {

  /** Of points. */
  public ModelDescription(
      List<String> features,
      List<String> targets,
      List<FeatureConfig> recipe,
      Map<String, String> units) {
    this(features, targets, recipe, units, null);
  }

  /** Entries by name, so that the same model has the same bytes. */
  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  // A climatology is one long text.
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                  .build())
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .build();

  /** Copies what it is given. */
  public ModelDescription {
    features = List.copyOf(features);
    targets = List.copyOf(targets);
    recipe = List.copyOf(recipe);
    units = Map.copyOf(units);
  }

  /** Describes a model that was trained on a data set. */
  public static ModelDescription of(Dataset dataset) {
    return new ModelDescription(
        dataset.featureNames(),
        dataset.targetNames(),
        dataset.recipe(),
        dataset.units(),
        dataset instanceof FieldDataset fields ? fields.fieldRecipe() : null);
  }

  /** The same of a model whose outputs say something else of the targets than one value each. */
  public ModelDescription with(OutputForm form) {
    return new ModelDescription(
        features,
        form.names(targets),
        recipe,
        units,
        fields == null ? null : fields.withTargets(outputs(form, fields.targets())));
  }

  private static List<FieldRecipe.Target> outputs(
      OutputForm form, List<FieldRecipe.Target> targets) {
    List<FieldRecipe.Target> all = new ArrayList<>();
    for (OutputForm.Group group : form.groups()) {
      targets.forEach(target -> all.add(group.longName().isEmpty() ? target : of(group, target)));
    }
    return all;
  }

  private static FieldRecipe.Target of(OutputForm.Group group, FieldRecipe.Target target) {
    boolean pure = group.meaning() == OutputForm.Meaning.PURE;
    Map<String, String> attributes = new TreeMap<>();
    String own = target.attributes().getOrDefault("long_name", target.variable());
    attributes.put("long_name", own + ", " + group.longName());
    String units = pure ? "1" : target.attributes().get("units");
    if (units != null) {
      attributes.put("units", units);
    }
    return new FieldRecipe.Target(
        target.source(),
        target.variable() + group.suffix(),
        target.type(),
        attributes,
        target.others(),
        target.lead(),
        group.meaning() == OutputForm.Meaning.VALUE ? target.normalization() : Normalization.NONE);
  }

  /**
   * Reads the description out of a model file.
   *
   * @return empty for a file that Lockstep did not write
   * @throws ModelException if the file cannot be read
   */
  public static Optional<ModelDescription> read(Path modelFile) {
    try (ZipFile archive = new ZipFile(modelFile.toFile())) {
      Optional<? extends ZipEntry> entry =
          archive.stream()
              .filter(e -> e.getName().endsWith("/extra/" + PhysicalModel.DESCRIPTION_ENTRY))
              .findFirst();
      if (entry.isEmpty()) {
        return Optional.empty();
      }
      return Optional.of(parse(JSON.readTree(archive.getInputStream(entry.get()))));
    } catch (IOException | IllegalArgumentException e) {
      throw new ModelException(modelFile + " cannot be read as a model: " + e.getMessage(), e);
    }
  }

  private static ModelDescription parse(JsonNode json) throws JsonProcessingException {
    List<FeatureConfig> recipe = new ArrayList<>();
    // Files of version 0.1 name the columns only; those are variables.
    for (JsonNode feature :
        json.path("recipe").isMissingNode() ? json.path("features") : json.path("recipe")) {
      recipe.add(new ObjectMapper().treeToValue(feature, FeatureConfig.class));
    }
    Map<String, String> units = new TreeMap<>();
    json.path("units").fields().forEachRemaining(u -> units.put(u.getKey(), u.getValue().asText()));
    return new ModelDescription(
        names(json.path("features")),
        names(json.path("targets")),
        recipe,
        units,
        json.has("fields") ? JSON.treeToValue(json.get("fields"), FieldRecipe.class) : null);
  }

  private static List<String> names(JsonNode array) {
    List<String> names = new ArrayList<>();
    array.forEach(name -> names.add(name.asText()));
    return names;
  }

  /** The text that {@link PhysicalModel#save} puts into the file. */
  public String toJson() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    features.forEach(json.putArray("features")::add);
    targets.forEach(json.putArray("targets")::add);
    recipe.forEach(feature -> json.withArray("recipe").addPOJO(feature));
    new TreeMap<>(units).forEach(json.withObject("/units")::put);
    if (fields != null) {
      json.set("fields", JSON.valueToTree(fields));
    }
    return json.toString();
  }

  /**
   * Checks that data is in the units that the model was trained on, where both are known.
   *
   * @throws ModelException naming the first variable that is not
   */
  public void checkUnits(String source, Map<String, String> unitsOfData) {
    new TreeMap<>(unitsOfData)
        .forEach(
            (variable, found) -> {
              String wanted = units.get(variable);
              if (wanted != null && !wanted.equals(found)) {
                throw new ModelException(
                    source
                        + ": "
                        + variable
                        + " is in '"
                        + found
                        + "', but the model was trained on '"
                        + wanted
                        + "'; convert it, or correct its attribute units.");
              }
            });
  }
}
