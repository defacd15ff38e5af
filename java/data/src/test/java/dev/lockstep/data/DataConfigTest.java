package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.FeatureConfig.Function;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DataConfigTest {
  private static final ObjectMapper YAML =
      YAMLMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  private static DataConfig parse(String yaml) throws JsonProcessingException {
    return YAML.readValue(yaml, DataConfig.class);
  }

  @Test
  void readsYaml() throws JsonProcessingException {
    DataConfig config =
        parse(
            """
            path: heat.nc
            format: netcdf
            features:
              - SST
              - {variable: TIME, function: sine, period: 8765.82, name: month_sine}
              - {variable: LAT, function: cosine, period: 360}
            targets: [FSR, FUL]
            drop_missing: false
            validation_fraction: 0.25
            seed: 7
            """);
    assertEquals(
        new DataConfig(
            "heat.nc",
            Format.NETCDF,
            null,
            List.of(
                FeatureConfig.of("SST"),
                new FeatureConfig("TIME", Function.SINE, 8765.82, "month_sine"),
                new FeatureConfig("LAT", Function.COSINE, 360, "cos(LAT)")),
            List.of("FSR", "FUL"),
            false,
            0.25,
            7),
        config);
    assertEquals(config, parse(YAML.writeValueAsString(config)));
  }

  @Test
  void leavesOutWhatHasDefaults() throws JsonProcessingException {
    DataConfig config = parse("{path: a.csv, features: [x], targets: [y]}");
    assertEquals(Format.AUTO, config.format());
    assertNull(config.synthetic());
    assertTrue(config.dropMissing());
    assertEquals(0.2, config.validationFraction());
  }

  @Test
  void syntheticDataNeedsNoFeatureList() throws JsonProcessingException {
    DataConfig config = parse("synthetic: {samples: 100, features: 2, targets: 2}");
    assertEquals(FeatureConfig.ofVariables(List.of("x0", "x1")), config.features());
    assertEquals(TargetConfig.ofVariables(List.of("y0", "y1")), config.targets());
    assertEquals(0.1, config.synthetic().noise());
    assertEquals(config, parse(YAML.writeValueAsString(config)));
    try (Dataset dataset = DataFiles.open(config)) {
      assertEquals(100, dataset.size());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{features: [x]}; path: is missing",
        "{path: a, synthetic: {}}; path: is there together with a synthetic section",
        "{path: ' ', features: [x]}; path: is empty",
        "{path: a}; features: list at least one",
        "{path: a, features: [x, x]}; features: two are called x",
        "{path: a, features: [x], targets: [y, y]}; targets: one is listed twice",
        "{path: a, features: [x], validation_fraction: 1}; validation_fraction: must be",
        "{path: a, features: [{variable: x, function: sine}]}; period: feature sin(x) needs",
        "{path: a, features: [{variable: x, period: 3}]}; period: feature x has a period",
        "{path: a, features: [{function: sine}]}; variable: a feature needs",
        "{synthetic: {samples: 0}}; samples: must be at least 1",
        "{synthetic: {noise: -1}}; noise: must be a number from 0 on"
      })
  void namesTheKeyThatIsWrong(String yaml, String message) {
    JsonMappingException e = assertThrows(JsonMappingException.class, () -> parse(yaml));
    assertTrue(e.getCause() instanceof IllegalArgumentException, () -> e.toString());
    assertTrue(e.getCause().getMessage().startsWith(message), () -> e.getCause().getMessage());
  }

  @Test
  void refusesUnknownKeys() {
    UnrecognizedPropertyException e =
        assertThrows(
            UnrecognizedPropertyException.class,
            () -> parse("{path: a, features: [x], drop: true}"));
    assertTrue(e.getKnownPropertyIds().contains("drop_missing"), () -> e.toString());
    assertThrows(
        UnrecognizedPropertyException.class,
        () -> parse("{path: a, features: [{variable: x, priod: 3}]}"));
  }
}
