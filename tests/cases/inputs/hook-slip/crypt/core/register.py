def register(context):
    context.soulstones.add("not the forge's")
    context.add_system_dependancy("jq")
