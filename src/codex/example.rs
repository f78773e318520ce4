//! Right values to show where a wrong one stands.

/// Keys whose values have a grammar, with a value of each as TOML has it.
const EXAMPLES: &[(&str, &str)] = &[
    ("allow-tags", "[\"docker.io/vllm/vllm-openai\"]"),
    ("api_key_secret_name", "\"cloud_key\""),
    ("auth_secret_name", "\"tabby_auth\""),
    ("base_url", "\"http://localhost:8100/v1\""),
    ("cache_type_k", "\"q8_0\""),
    ("cache_type_v", "\"q8_0\""),
    ("capabilities", "{ families = [\"chat\"] }"),
    ("chat_template", "\"chatml\""),
    ("concurrency", "{ conflict_domains = [\"gpu0\"] }"),
    ("conflict_domains", "[\"gpu0\"]"),
    ("constraints", "{ coven = [\"night\"] }"),
    ("dedicated", "false"),
    ("description", "\"a small model for code\""),
    ("devices", "[\"nvidia.com/gpu=0\"]"),
    ("disable_auth", "false"),
    ("env_vars", "{ LOG_LEVEL = \"info\" }"),
    ("exec", "[\"serve\", \"--port\", \"8100\"]"),
    ("expires_at", "2027-01-01T00:00:00Z"),
    ("extra_args", "[\"--metrics\"]"),
    ("families", "[\"chat\", \"vision\"]"),
    ("flash_attn", "false"),
    ("generation", "{ temperature = 0.2 }"),
    ("grants", "{ writable = true }"),
    ("groups", "[\"night\"]"),
    ("host", "\"localhost\""),
    ("id", "\"coder-7b\""),
    ("image-user", "true"),
    ("ipc_host", "false"),
    ("jinja", "false"),
    ("klass", "\"standard\""),
    ("label-disable", "true"),
    ("library", "[\"~/books\"]"),
    ("linux-capabilities", "[\"NET_BIND_SERVICE\"]"),
    ("lora_adapters", "[\"/models/style.gguf\"]"),
    ("max_context", "32768"),
    ("max_timelines", "8"),
    ("max_tokens", "4096"),
    ("max_uses", "3"),
    ("modalities_in", "[\"text\"]"),
    ("modalities_out", "[\"text\"]"),
    ("mode", "\"tomb\""),
    ("model_dir", "\"/app/models\""),
    ("model_format", "\"GGUF\""),
    ("model_path", "\"/models/coder-7b.gguf\""),
    ("models", "[{ id = \"coder-7b\", path = \"/models/coder-7b\" }]"),
    ("models_autoload", "false"),
    ("models_dir", "\"/models\""),
    ("models_max", "2"),
    ("models_preset", "\"/models/preset.ini\""),
    ("n_cpu_moe", "0"),
    ("n_ctx", "16384"),
    ("n_gpu_layers", "99"),
    ("n_parallel", "1"),
    ("network_host", "false"),
    ("new-privileges", "true"),
    ("otlp_port", "4317"),
    ("outlands", "[\"~/src\"]"),
    ("path", "\"~/src\""),
    ("persistent_resident", "true"),
    ("port", "8100"),
    ("priority", "50"),
    ("probe", "true"),
    ("provider_name", "\"litellm\""),
    ("quadlet", "{ image = \"ghcr.io/me/server@sha256:<64 hex digits>\" }"),
    ("reasoning_format", "\"deepseek\""),
    ("repetition_penalty", "1.1"),
    ("runtime", "\"openai-compatible\""),
    ("secret_env_files", "{ HF_TOKEN_FILE = \"hf_token\" }"),
    ("security_label_disable", "true"),
    ("served_model_id", "\"coder-7b\""),
    ("sigil_pattern", "\"*\""),
    ("sleep_idle_seconds", "300"),
    ("slug", "\"night-swap\""),
    ("split_mode", "\"layer\""),
    ("startup_mode", "\"router\""),
    ("supports_streaming", "true"),
    ("supports_tools", "true"),
    ("surface", "\"chat\""),
    ("tags", "[\"code\"]"),
    ("temperature", "0.2"),
    ("threads", "8"),
    ("threads_batch", "8"),
    ("tmpfs", "[\"/var/tmp\"]"),
    ("tool_pattern", "\"request_coven_swap\""),
    ("top_k", "40"),
    ("top_p", "0.9"),
    ("ui_port", "6006"),
    ("volumes", "[\"~/weights:/models:ro\"]"),
    ("writable", "true"),
];

/// A right value of `key`, as TOML has it.
#[must_use]
pub(super) fn example(key: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(known, _)| *known == key).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_toml_and_stands_once() {
        assert!(EXAMPLES.is_sorted_by(|(one, _), (two, _)| one < two));
        for (key, value) in EXAMPLES {
            assert!(format!("{key} = {value}\n").parse::<toml::Table>().is_ok(), "{key}");
        }
        assert_eq!(example("port"), Some("8100"));
        assert_eq!(example("name"), None);
    }
}
