"""Golden file of transformers' chat templates for test/lm/chat-template.test.ts: a template of our own in the manner of
Qwen2.5's and one in the manner of Llama 3's, each rendered by `apply_chat_template`.

Run: pip install transformers jinja2 && python test/golden/text/make_chat.py   (writes chat.json beside itself)
"""
import json
import pathlib

import tokenizers
import transformers

CHATML = """{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou help the customers of a shop.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
HEADERS = """{{- bos_token }}
{%- set roles = namespace(last='none') %}
{%- for message in messages %}
    {{- '<|start_header_id|>' ~ message['role'] ~ '<|end_header_id|>\\n\\n' }}
    {{- message['content'] | trim }}{{ '<|eot_id|>' }}
    {%- set roles.last = message['role'] %}
{%- endfor %}
{%- if add_generation_prompt and roles.last != 'assistant' %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
MESSAGES = ["Purchases so far: <a_1><b_2>. Name the next one.\n", "  $& {{ braces }} é \"quotes\"  "]
cases = []
for template in (CHATML, HEADERS):
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a")),
        bos_token="<|begin_of_text|>",
        eos_token="<|end_of_text|>",
    )
    rendered = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": message}], chat_template=template, tokenize=False, add_generation_prompt=True
        )
        for message in MESSAGES
    ]
    cases.append({"template": template, "messages": MESSAGES, "rendered": rendered})
golden = {"made_by": f"transformers {transformers.__version__}: apply_chat_template", "cases": cases}
pathlib.Path(__file__).with_name("chat.json").write_text(json.dumps(golden, indent=1) + "\n")
