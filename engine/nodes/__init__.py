"""Node types, one module each."""

from engine.nodes.agents.agent import Agent
from engine.nodes.agents.agent_turn import AgentTurn
from engine.nodes.agents.tool_call import AgentToolCall
from engine.nodes.agents.tool_list import AgentTools
from engine.nodes.approval import Approval
from engine.nodes.assistant import Assistant
from engine.nodes.condition import Condition
from engine.nodes.custom_model import CustomModel
from engine.nodes.delay import Delay
from engine.nodes.document_text import DocumentTextNode
from engine.nodes.for_each import ForEach
from engine.nodes.generators import ImageGenerator, MusicGenerator, VideoGenerator
from engine.nodes.http_request import HttpRequest
from engine.nodes.image_text import ImageText
from engine.nodes.image_tools import IMAGE_TOOLS
from engine.nodes.list import List
from engine.nodes.mcp_tool import McpTool
from engine.nodes.merge import Merge
from engine.nodes.nearest import Nearest
from engine.nodes.note import Note
from engine.nodes.request_input import RequestInput
from engine.nodes.response_output import ResponseOutput
from engine.nodes.speak import Speak
from engine.nodes.split_text import SplitText
from engine.nodes.sub_workflow import SubWorkflow
from engine.nodes.support.base import NodeType
from engine.nodes.switch import Switch
from engine.nodes.text_box import TextBox
from engine.nodes.text_embedding import TextEmbedding
from engine.nodes.transcribe import Transcribe
from engine.nodes.transform import Transform
from engine.nodes.upload import Upload

NODE_TYPES: tuple[NodeType, ...] = (
    RequestInput(),
    Upload(),
    TextBox(),
    List(),
    HttpRequest(),
    McpTool(),
    Assistant(),
    Agent(),
    ImageGenerator(),
    VideoGenerator(),
    MusicGenerator(),
    Transcribe(),
    Speak(),
    CustomModel(),
    *IMAGE_TOOLS,
    ImageText(),
    DocumentTextNode(),
    TextEmbedding(),
    SplitText(),
    Nearest(),
    Transform(),
    Condition(),
    Switch(),
    Merge(),
    SubWorkflow(),
    ForEach(),
    Delay(),
    Approval(),
    ResponseOutput(),
    Note(),
)

INNER_TYPES: tuple[NodeType, ...] = (
    AgentTurn(),
    AgentTools(),
    AgentToolCall(),
)
"""Types of nodes that only graphs of our own making have."""

_BY_NAME = {node_type.type: node_type for node_type in (*NODE_TYPES, *INNER_TYPES)}


def node_type(name: str) -> NodeType | None:
    """Return the node type with this name, an inner one too, or None."""
    return _BY_NAME.get(name)
